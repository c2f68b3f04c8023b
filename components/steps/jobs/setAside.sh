#!/bin/sh
# Puts Raft's files aside on one volume of the server; deletes nothing.
# Before: no server runs on the volume. /job/aside names the folder, /job/role is "first" (openbao-0) or "follower".
# After:  vault.db, raft/ and what the carry left lie in .openbao-raft-migration/rolled-back/<aside>. On the first
#         volume the file storage is at the root, whole, equal to the manifest of the carry, and free of migrate's lock.
# Prints no entry's name. The result goes to the termination message: 0 done, 20-29 refused, others failed.
set -eu
umask 077
DATA=/openbao/data
KEEP=$DATA/.openbao-raft-migration
WORK=/scratch

finish() { # code, JSON
  printf '%s' "$2" > /dev/termination-log
  echo "@result $2"
  exit "$1"
}

# An image need not have them all, and a tool that is missing looks like a folder that is empty.
for tool in basename cat cmp cut find mkdir mv sha256sum sort sync xargs; do
  command -v "$tool" > /dev/null || finish 29 "{\"problem\":\"missing-tool\",\"tool\":\"$tool\"}"
done

ASIDE=$KEEP/rolled-back/$(cat /job/aside)
ROLE=$(cat /job/role)

entries() { # top-level folders of the file storage: not ours, not Raft's
  for path in "$1"/*/; do
    name=$(basename "$path")
    case $name in lost+found | raft) ;; *) printf '%s\n' "$name" ;; esac
  done
}

# As carry.sh makes it.
manifest() { # folder, output
  (cd "$1" && entries . | while IFS= read -r name; do
    find "$name" -type f ! -path 'core/_migration' ! -path 'core/_lock' ! -path 'core/leader/*' -print0 2> /dev/null
  done | xargs -0 -r sha256sum 2> /dev/null) | sort > "$2"
}

moved=0
aside() { # path: by rename on the same volume, so a kill leaves it in one place or the other
  [ -e "$1" ] || return 0
  mv "$1" "$ASIDE/"
  moved=$((moved + 1))
}

digest=none
if [ "$ROLE" = first ]; then
  [ -f "$DATA/core/_keyring" ] || finish 22 '{"problem":"no-keyring"}'
  if [ -f "$KEEP/carried.manifest" ]; then
    manifest "$DATA" "$WORK/source.manifest"
    # What the old server took after the carry is in no other place and stays; only when Raft was live, too, is either lost.
    cmp -s "$WORK/source.manifest" "$KEEP/carried.manifest" || sha256sum -c "$KEEP/carried.sum" > /dev/null 2>&1 ||
      finish 27 '{"problem":"both-have-been-live"}'
    digest=$(sha256sum < "$WORK/source.manifest" | cut -d' ' -f1)
  fi
fi

mkdir -p "$ASIDE"
aside "$DATA/vault.db"
aside "$DATA/raft"
aside "$DATA/node-id"
if [ "$ROLE" = first ]; then
  # A server refuses a store with the lock of a killed migrate (hazards, finding 0.2).
  aside "$DATA/core/_migration"
  for name in incoming promoting carried.partial carried carried.sum carried.manifest; do aside "$KEEP/$name"; done
fi
sync
finish 0 "{\"aside\":\"$(basename "$ASIDE")\",\"moved\":$moved,\"manifest\":\"$digest\"}"
