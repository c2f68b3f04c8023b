#!/bin/sh
# Copies the file storage beside itself on the same volume, while the server may be running.
# Before: /openbao/data is the file storage.
# After:  /openbao/data/.openbao-raft-migration/backup holds a copy; the source is untouched.
# Prints no entry's name: the names of KV v1 secrets are plain. The result goes to the termination message.
set -eu
umask 077
DATA=/openbao/data
KEEP=$DATA/.openbao-raft-migration
PARTIAL=$KEEP/backup.partial
WORK=/scratch

finish() { # code, JSON
  printf '%s' "$2" > /dev/termination-log
  echo "@result $2"
  exit "$1"
}

# An image need not have them all, and what carry.sh lacks must show while the server serves: the first line is its own.
for tool in basename cat cmp cp cut date find grep ln mkdir mv rm sha256sum sleep sort sync tail tr wc xargs \
  awk df dirname du sed stat; do
  command -v "$tool" > /dev/null || finish 29 "{\"problem\":\"missing-tool\",\"tool\":\"$tool\"}"
done

entries() { # top-level folders of the file storage: not ours, not Raft's
  for path in "$1"/*/; do
    name=$(basename "$path")
    case $name in lost+found | raft) ;; *) printf '%s\n' "$name" ;; esac
  done
}

manifest() { # folder, output: one line an entry (SHA-256 of the ciphertext file, path), sorted
  (cd "$1" && entries . | while IFS= read -r name; do
    # A running server may remove a file between find and sha256sum.
    find "$name" -type f ! -path 'core/_migration' -print0 2> /dev/null | xargs -0 -r sha256sum 2> /dev/null || true
  done) | sort > "$2"
}

files() { # every entry's path; fails when a folder cannot be read
  (cd "$DATA" && entries . | {
    end=0
    while IFS= read -r name; do find "$name" -type f ! -path 'core/_migration' 2> /dev/null || end=1; done
    exit "$end"
  }) > "$WORK/files"
}

[ -f "$DATA/core/_keyring" ] || finish 22 '{"problem":"no-keyring"}'

set -- $(entries "$DATA" | sed "s|^|$DATA/|" | tr '\n' ' ')
used=$(du -sk "$@" | awk '{ n += $1 } END { print n }')
free=$(df -Pk "$DATA" | awk 'NR == 2 { print $4 }')
# The copy, the Raft store that comes later, and a margin (hazard F33).
need=$((used * 5 / 2 + 65536))
[ "$free" -ge "$need" ] || finish 24 "{\"problem\":\"no-space\",\"freeKiB\":$free,\"neededKiB\":$need}"

rm -rf "$PARTIAL"
mkdir -p "$PARTIAL"
entries "$DATA" | while IFS= read -r name; do
  cp -a "$DATA/$name" "$PARTIAL/" 2> /dev/null || true
done

# Entries that changed during the copy are copied again, up to three times.
round=0
moving=1
while [ "$round" -lt 3 ] && [ "$moving" -gt 0 ]; do
  round=$((round + 1))
  manifest "$DATA" "$WORK/source"
  manifest "$PARTIAL" "$WORK/copy"
  awk 'NR == FNR { copied[$0]; next } !($0 in copied)' "$WORK/copy" "$WORK/source" > "$WORK/differ"
  moving=$(wc -l < "$WORK/differ")
  sed 's/^[0-9a-f]*  //' "$WORK/differ" | while IFS= read -r path; do
    mkdir -p "$PARTIAL/$(dirname "$path")"
    cp -a "$DATA/$path" "$PARTIAL/$path" 2> /dev/null || true
  done
done
sync

manifest "$PARTIAL" "$WORK/copy"
# What is there and cannot be read is in no manifest, and would stop migrate while the server is down (hazard F20).
# find also fails when the running server removes what it looks at, which does not happen three times on end.
unreadable=0
files || files || files || unreadable=1
more=$(awk 'FILENAME == ARGV[1] { read[substr($0, 67)]; next } !($0 in read)' "$WORK/source" "$WORK/files" \
  | while IFS= read -r path; do
    sha256sum "$DATA/$path" > /dev/null 2>&1 || [ ! -f "$DATA/$path" ] || echo unreadable
  done | wc -l)
unreadable=$((unreadable + more))
[ "$unreadable" -eq 0 ] || finish 25 "{\"problem\":\"unreadable-entries\",\"unreadable\":$unreadable}"

for one in source copy; do
  grep -q '  core/_keyring$' "$WORK/$one" || finish 23 '{"problem":"manifest-without-keyring"}'
done
count=$(wc -l < "$WORK/copy")
digest=$(sha256sum < "$WORK/copy" | cut -d' ' -f1)
zero=$(cd "$PARTIAL" && find . -type f -size 0 | wc -l)
temp=$(cd "$PARTIAL" && find . -type f -name '*.temp' | wc -l)
# Not %d, which ends at 2 GiB in busybox.
bytes=$(cd "$PARTIAL" && find . -type f -exec stat -c '%s' '{}' + | awk '{ n += $1; if ($1 > m) m = $1 } END { printf "%.0f %.0f", n, m }')
cp "$WORK/copy" "$PARTIAL.manifest"
rm -rf "$KEEP/backup" "$KEEP/backup.manifest"
mv "$PARTIAL" "$KEEP/backup"
mv "$PARTIAL.manifest" "$KEEP/backup.manifest"
sync
finish 0 "{\"entries\":$count,\"manifest\":\"$digest\",\"moving\":$moving,\"zeroByte\":$zero,\"temp\":$temp,\"bytes\":${bytes% *},\"largest\":${bytes#* },\"freeKiB\":$free}"
