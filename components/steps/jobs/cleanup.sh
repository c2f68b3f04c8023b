#!/bin/sh
# Removes the kept file storage from the volume of openbao-0, on which the server runs on Raft.
# Before: vault.db, raft/ and the manifest of what was carried over lie on the volume.
# After:  every file of that manifest is gone, and so is its copy; Raft's files and all else are as they were.
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
for tool in cut find grep rm rmdir sed sha256sum sort sync tr wc xargs; do
  command -v "$tool" > /dev/null || finish 27 "{\"problem\":\"missing-tool\",\"tool\":\"$tool\"}"
done

[ -f "$DATA/vault.db" ] && [ -f "$DATA/raft/raft.db" ] || finish 28 '{"problem":"no-raft-store"}'
[ -f "$KEEP/carried.manifest" ] || finish 29 '{"problem":"no-manifest"}'

no_empty_folders() { # folder; rmdir refuses one that holds something (not every busybox has find's -empty and -delete)
  find "$1" -depth -type d -print0 | xargs -0 -r rmdir 2> /dev/null || true
}

# Only what was proved to be on Raft, by its bytes and its path: anything else that lies there is not ours to remove.
cd "$DATA"
sha256sum -c "$KEEP/carried.manifest" 2> /dev/null | sed -n 's/: OK$//p' \
  | grep -v -e '^/' -e '^\.' -e '/\.\./' -e '^raft/' -e '^vault\.db$' > "$WORK/remove" || true
removed=$(wc -l < "$WORK/remove")
tr '\n' '\0' < "$WORK/remove" | xargs -0 -r rm -f --
kept=$(sed 's/^[0-9a-f]*  //' "$KEEP/carried.manifest" | while IFS= read -r path; do [ ! -f "$path" ] || echo kept; done | wc -l)

# Left out of every manifest, since they are of a server that ran and not of the content.
rm -rf -- core/_migration core/_lock core/leader
sed 's/^[0-9a-f]*  //' "$KEEP/carried.manifest" | cut -d/ -f1 | sort -u | while IFS= read -r name; do
  case $name in '' | . | .. | raft | lost+found) ;; *) [ ! -d "$name" ] || no_empty_folders "$name" ;; esac
done
rm -rf "$KEEP/backup" "$KEEP/backup.manifest" "$KEEP/backup.partial" "$KEEP/backup.partial.manifest"
sync
finish 0 "{\"removed\":$removed,\"kept\":$kept}"
