#!/bin/sh
# Removes an empty Raft store that was initialised and whose keys are lost, by the names of its parts.
# Before: no server runs; the marker says that what was there before was set aside, and so is not at the root.
# After:  the root holds no Raft state. The file storage and the old Raft store are not touched.
set -eu
DATA=/openbao/data
KEEP=$DATA/.openbao-raft-migration

finish() { # code, JSON
  printf '%s' "$2" > /dev/termination-log
  echo "@result $2"
  exit "$1"
}

[ -f "$KEEP/fresh" ] && [ ! -f "$KEEP/setting-aside" ] || finish 20 '{"problem":"not-set-aside"}'
rm -rf "$DATA/vault.db" "$DATA/raft" "$DATA/node-id"
sync
finish 0 '{"wiped":true}'
