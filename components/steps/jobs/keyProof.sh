#!/bin/sh
# Reads the two entries that an unseal opens, still encrypted, from the volume that the server runs on.
# Before: /openbao/data is the file storage; it is mounted read-only.
# After:  nothing has changed; the termination message holds a slice of their base64, and no log holds any of it.
# A termination message takes 4096 bytes: a keyring of many terms is fetched slice by slice, from /job/offset on.
set -eu
DATA=/openbao/data
SLICE=3000

finish() { # code, JSON
  printf '%s' "$2" > /dev/termination-log
  exit "$1"
}

# An image need not have them all.
for tool in awk cat cut find head sed sha256sum stat tail; do
  command -v "$tool" > /dev/null || finish 29 "{\"problem\":\"missing-tool\",\"tool\":\"$tool\"}"
done

value() { # file: the base64 of the entry; nothing when the file is not there
  [ ! -f "$1" ] || sed -n 's/.*"Value" *: *"\([A-Za-z0-9+\/=]*\)".*/\1/p' "$1"
}

# A secret that is too large for a Raft entry may have been written since the copy (hazard I13). A running server may
# remove a file between find and stat.
largest() {
  for path in "$DATA"/*/; do
    case $path in */lost+found/ | */raft/) ;; *) find "$path" -type f -exec stat -c '%s' '{}' + 2> /dev/null || true ;; esac
  done | awk '{ if ($1 > m) m = $1 } END { printf "%.0f", m }'
}

[ -f "$DATA/core/_keyring" ] || finish 22 '{"problem":"no-keyring"}'
text="$(value "$DATA/core/hsm/_barrier-unseal-keys").$(value "$DATA/core/_keyring")"
offset=$(cat /job/offset)
slice=$(printf '%s' "$text" | tail -c "+$((offset + 1))" | head -c "$SLICE")
digest=$(printf '%s' "$text" | sha256sum | cut -d' ' -f1)
bytes=0
[ "$offset" -gt 0 ] || bytes=$(largest)
finish 0 "{\"largest\":$bytes,\"total\":${#text},\"digest\":\"$digest\",\"slice\":\"$slice\"}"
