#!/bin/sh
# Removes an empty Raft store that was initialised and whose keys are lost, by the names of its parts.
# Before: no server runs; the file "fresh" says that this migration (MIGRATION is its id) has set aside what was there
#         before, and that still lies there: so it is not at the root.
# After:  the root holds no Raft state. The file storage and the old Raft store are not touched.
set -eu
: "${MIGRATION:?}"
DATA=/openbao/data
KEEP=$DATA/.openbao-raft-migration

finish() { # code, JSON
  printf '%s' "$2" > /dev/termination-log
  echo "@result $2"
  exit "$1"
}

[ -f "$KEEP/fresh" ] && [ ! -f "$KEEP/setting-aside" ] || finish 20 '{"problem":"not-set-aside"}'
by= files=
read -r by files < "$KEEP/fresh" || :
[ "$by" = "$MIGRATION" ] || finish 21 '{"problem":"mark-of-another-migration"}'
# What was set aside may have been moved back: the store at the root would then be the only one.
there=0
[ ! -d "$KEEP/old-raft" ] || there=$(find "$KEEP/old-raft" -type f | wc -l)
[ "$there" -eq "$files" ] || finish 22 "{\"problem\":\"old-store-not-there\",\"files\":$((there))}"
rm -rf "$DATA/vault.db" "$DATA/raft" "$DATA/node-id"
sync
finish 0 '{"wiped":true}'
