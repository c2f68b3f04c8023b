#!/bin/sh
# Carries file storage over to Raft, offline, on the volume of openbao-0.
# Before: no server runs; /openbao/data is the file storage and holds no Raft state but our own.
# After:  vault.db and raft/ lie in /openbao/data, proved equal to the file storage, which is untouched.
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

# An image need not have them all, and a tool that is missing looks like a folder that is empty. As in fileCopy.sh.
for tool in basename cat cmp cp cut date find grep ln mkdir mv rm sha256sum sleep sort sync tail tr wc xargs; do
  command -v "$tool" > /dev/null || finish 29 "{\"problem\":\"missing-tool\",\"tool\":\"$tool\"}"
done

entries() { # top-level folders of the file storage: not ours, not Raft's
  for path in "$1"/*/; do
    name=$(basename "$path")
    case $name in lost+found | raft) ;; *) printf '%s\n' "$name" ;; esac
  done
}

# find and sha256sum name the entry that they cannot read: their words go nowhere.
# One line an entry: SHA-256 of the file that holds its ciphertext, and its path. Left out is what migrate leaves out.
manifest() { # folder, output; step by step, since a pipe tells the end of its last tool alone
  (cd "$1" && entries . | while IFS= read -r name; do
    find "$name" -type f ! -path 'core/_migration' ! -path 'core/_lock' ! -path 'core/leader/*' -print0 2> /dev/null || exit 1
  done > "$2.files" && cat "$2.files" | xargs -0 -r sha256sum > "$2.sums" 2> /dev/null) &&
    # Not from the file itself: what busybox' xargs starts moves its place in it, and names come in pieces.
    [ "$(tr -cd '\0' < "$2.files" | wc -c)" -eq "$(wc -l < "$2.sums")" ] && sort "$2.sums" > "$2"
}

migrate() { # config, log: judged by its own words and by content, never by its exit status (hazards, finding 1)
  bao operator migrate -config="$1" -max-parallel=64 > "$2.out" 2> "$2" || true
  grep -q '^Success! All of the keys have been migrated' "$2.out"
}

why() { # log: in fixed words, since migrate's own hold the path of an entry
  for words in 'too large' 'no space left' 'permission denied' 'input/output error'; do
    if tail -n 3 "$1" | grep -v 'copied key' | grep -qi "$words"; then
      echo "$words"
      return
    fi
  done
  echo other
}

# --- what is there already ---
mkdir -p "$KEEP"
if [ -f "$KEEP/carried" ] && [ -f "$DATA/vault.db" ] && [ -f "$DATA/raft/raft.db" ]; then
  # Only the same source and a Raft store on which no server has run yet are our finished work.
  manifest "$DATA" "$WORK/source.manifest" || finish 34 '{"problem":"manifest-failed"}'
  same=yes fresh=yes
  cmp -s "$WORK/source.manifest" "$KEEP/carried.manifest" || same=no
  sha256sum -c "$KEEP/carried.sum" > /dev/null 2>&1 || fresh=no
  case $same,$fresh in
    yes,yes) finish 0 "$(cat "$KEEP/carried")" ;;
    yes,no) finish 26 '{"problem":"raft-has-been-live"}' ;;
    no,no) finish 25 '{"problem":"both-have-been-live"}' ;;
  esac
  # The old server has served since, and none has run on the copy: what it took lies in the file storage alone.
  echo "the file storage was written to after it was carried over: it is carried over anew"
  : > "$KEEP/promoting"
  sync
fi
if [ -f "$KEEP/promoting" ]; then
  # Our own earlier run died between the renames; no server has run on these files since.
  rm -rf "$DATA/vault.db" "$DATA/raft" "$DATA/node-id"
fi
if [ -e "$DATA/vault.db" ] || [ -e "$DATA/raft" ]; then finish 20 '{"problem":"foreign-raft-state"}'; fi
rm -rf "$KEEP/incoming" "$KEEP/carried" "$KEEP/promoting"

# --- is the source whole ---
[ -f "$DATA/core/_keyring" ] || finish 22 '{"problem":"no-keyring"}'
[ ! -e "$DATA/core/_migration" ] || finish 23 '{"problem":"migration-lock"}'
zero=$(entries "$DATA" | while IFS= read -r name; do find "$DATA/$name" -type f -size 0 2> /dev/null; done | wc -l)
temp=$(entries "$DATA" | while IFS= read -r name; do find "$DATA/$name" -type f -name '*.temp' 2> /dev/null; done | wc -l)
[ "$zero" -eq 0 ] && [ "$temp" -eq 0 ] || finish 21 "{\"problem\":\"damaged-entries\",\"zeroByte\":$zero,\"temp\":$temp}"

# --- a view of the source in which migrate can set its lock without writing to the source ---
mkdir -p "$WORK/view/core" "$WORK/raft" "$WORK/back"
entries "$DATA" | while IFS= read -r name; do
  [ "$name" = core ] || ln -s "$DATA/$name" "$WORK/view/$name"
done
for path in "$DATA"/core/*; do ln -s "$path" "$WORK/view/core/"; done

manifest "$DATA" "$WORK/source.manifest" &
hashing=$!
total=$(entries "$DATA" | while IFS= read -r name; do find "$DATA/$name" -type f 2> /dev/null; done | wc -l)
echo "@total $total"

# --- forth, and back again for the proof ---
started=$(date +%s)
: > "$WORK/forth.log"
(while sleep 1 > /dev/null 2>&1; do echo "@copied $(grep -c 'copied key' "$WORK/forth.log" || true)"; done) &
ticker=$!
ok=yes
migrate /job/forth.hcl "$WORK/forth.log" || ok=no
kill "$ticker" 2> /dev/null || true
copied=$(grep -c 'copied key' "$WORK/forth.log" || true)
[ "$ok" = yes ] || finish 30 "{\"problem\":\"migrate-failed\",\"copied\":$copied,\"total\":$total,\"why\":\"$(why "$WORK/forth.log")\"}"
copySeconds=$(($(date +%s) - started))
echo "@copied $copied"

migrate /job/back.hcl "$WORK/back.log" || finish 31 '{"problem":"proof-failed"}'
wait "$hashing" && manifest "$WORK/back" "$WORK/raft.manifest" || finish 34 '{"problem":"manifest-failed"}'
# Two empty manifests are equal, too.
grep -q '  core/_keyring$' "$WORK/source.manifest" || finish 35 '{"problem":"manifest-without-keyring"}'
count=$(wc -l < "$WORK/source.manifest")
digest=$(sha256sum < "$WORK/source.manifest" | cut -d' ' -f1)
if ! cmp -s "$WORK/source.manifest" "$WORK/raft.manifest"; then
  finish 32 "{\"problem\":\"manifests-differ\",\"source\":$count,\"raft\":$(wc -l < "$WORK/raft.manifest")}"
fi

# --- onto the volume, then into place by rename ---
mkdir -p "$KEEP/incoming"
cp "$WORK/raft/vault.db" "$KEEP/incoming/vault.db"
cp -R "$WORK/raft/raft" "$KEEP/incoming/raft"
sync
cmp -s "$WORK/raft/vault.db" "$KEEP/incoming/vault.db" && cmp -s "$WORK/raft/raft/raft.db" "$KEEP/incoming/raft/raft.db" || finish 33 '{"problem":"copy-to-volume-differs"}'
: > "$KEEP/promoting"
sync
mv "$KEEP/incoming/raft" "$DATA/raft"
mv "$KEEP/incoming/vault.db" "$DATA/vault.db"
cp "$WORK/source.manifest" "$KEEP/carried.manifest"
sha256sum "$DATA/vault.db" > "$KEEP/carried.sum"
result="{\"entries\":$count,\"manifest\":\"$digest\",\"copied\":$copied,\"copySeconds\":$copySeconds,\"seconds\":$(($(date +%s) - started))}"
printf '%s' "$result" > "$KEEP/carried.partial"
# The name may reach the disk before the bytes: after a power loss all that is called carried would be empty.
sync
mv "$KEEP/carried.partial" "$KEEP/carried"
rm -rf "$KEEP/promoting" "$KEEP/incoming"
sync
finish 0 "$result"
