#!/bin/sh
# The runbook's bare sequence: file storage to Raft in place, with the defaults of migrate, and no proof.
set -eu
cat > /scratch/migrate.hcl <<'HCL'
storage_source "file" {
  path = "/openbao/data"
}
storage_destination "raft" {
  path    = "/openbao/data"
  node_id = "openbao-0"
}
cluster_addr = "http://openbao-0.openbao-internal:8201"
HCL
started=$(date +%s)
bao operator migrate -config=/scratch/migrate.hcl > /scratch/out 2> /scratch/log || true
grep -q '^Success! All of the keys have been migrated' /scratch/out
copied=$(grep -c 'copied key' /scratch/log)
printf '{"copied":%s,"copySeconds":%s}' "$copied" "$(($(date +%s) - started))" > /dev/termination-log
