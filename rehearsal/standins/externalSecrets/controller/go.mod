module rehearsal.local/external-secrets

go 1.24
