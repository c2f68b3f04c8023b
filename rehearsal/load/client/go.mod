module rehearsal.local/load-client

go 1.24
