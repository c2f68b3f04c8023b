#!/bin/sh
# Moves an old Raft store aside on the volume of openbao-0, so that a server starts on an empty one beside it.
# Before: no server runs. MIGRATION is the id of this migration.
# After:  .openbao-raft-migration/old-raft holds what was Raft's, whole; the root holds no Raft state. Nothing is deleted;
#         file storage at the root stays where it is. The file "fresh" says by whose hand, and how many files lie there.
# The result goes to the termination message: 0 done, 20-29 refused, others failed.
set -eu
umask 077
: "${MIGRATION:?}"
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

if [ -f "$KEEP/fresh" ]; then
  by= files=
  read -r by files < "$KEEP/fresh" || :
  # Whoever went back by hand has left the mark of an earlier migration: what lies at the root may be the only store.
  [ "$by" = "$MIGRATION" ] || finish 21 '{"problem":"mark-of-another-migration"}'
  # What a server has made since lies at the root: it is not the old store, and is judged by step restore or init.
  finish 0 '{"note":"set aside already"}'
fi

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
printf '%s %d\n' "$MIGRATION" "$kept" > "$KEEP/fresh.new"
mv "$KEEP/fresh.new" "$KEEP/fresh"
rm -f "$KEEP/setting-aside"
sync
finish 0 "{\"moved\":$moved,\"files\":$kept,\"bytes\":$bytes}"
