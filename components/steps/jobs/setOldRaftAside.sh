#!/bin/sh
# Moves an old Raft store aside on the volume of openbao-0, so that a server starts on an empty one beside it.
# Before: no server runs.
# After:  .openbao-raft-migration/old-raft holds what was Raft's, whole; the root holds no Raft state. Nothing is deleted;
#         file storage at the root stays where it is.
# The result goes to the termination message: 0 done, 20-29 refused, others failed.
set -eu
umask 077
DATA=/openbao/data
KEEP=$DATA/.openbao-raft-migration
OLD=$KEEP/old-raft

finish() { # code, JSON
  printf '%s' "$2" > /dev/termination-log
  echo "@result $2"
  exit "$1"
}

# An image need not have them all.
for tool in awk find mkdir mv rm stat sync wc; do
  command -v "$tool" > /dev/null || finish 29 "{\"problem\":\"missing-tool\",\"tool\":\"$tool\"}"
done

# What a server has made since lies at the root: it is not the old store, and is judged by step restore or init.
[ ! -f "$KEEP/fresh" ] || finish 0 '{"note":"set aside already"}'

# An old store from an earlier migration must not be mixed with this one.
if [ -d "$OLD" ] && [ ! -f "$KEEP/setting-aside" ]; then finish 20 '{"problem":"old-raft-of-an-earlier-time"}'; fi
mkdir -p "$OLD"
: > "$KEEP/setting-aside"
sync
moved=0
for name in vault.db raft node-id; do
  [ -e "$DATA/$name" ] || continue
  [ ! -e "$OLD/$name" ] || finish 20 "{\"problem\":\"there-twice\",\"name\":\"$name\"}"
  mv "$DATA/$name" "$OLD/$name"
  moved=$((moved + 1))
done
sync
kept=$(find "$OLD" -type f | wc -l)
# Not %d, which ends at 2 GiB in busybox.
bytes=$(find "$OLD" -type f -exec stat -c '%s' '{}' + | awk '{ n += $1 } END { printf "%.0f", n }')
: > "$KEEP/fresh"
rm -f "$KEEP/setting-aside"
sync
finish 0 "{\"moved\":$moved,\"files\":$kept,\"bytes\":$bytes}"
