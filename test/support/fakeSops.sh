#!/bin/sh
# sops' `encrypt` and `decrypt` of JSON as far as the program calls them, in the layout of SOPS. The cipher is a toy: it
# hides a value, is another one at each call, and is checked when it is opened.
here=${0%/*}
cat "/proc/$$/cmdline" "$here/mark" "/proc/$$/environ" "$here/mark" >>"$here/calls"
fault=
[ -f "$here/fault" ] && read -r fault <"$here/fault"
verb=encrypt
for word in "$@"; do [ "$word" = decrypt ] && verb=decrypt; done
if [ "$verb" = decrypt ] && [ "$SOPS_AGE_KEY_FILE" != "$here/identity" ]; then
  echo "Failed to get the data key" >&2
  exit 128
fi
exec awk -v verb="$verb" -v fault="$fault" -v nonce="$$" '
function die(words) { print words >"/dev/stderr"; failed = 1; exit 1 }
function enc(text,  at, code, sum, data) {
  for (at = 1; at <= length(text); at++) {
    code = index(letters, substr(text, at, 1))
    if (code == 0) die("not ASCII")
    sum += code * at
    data = data sprintf("%03d", code + nonce % 800)
  }
  return "ENC[AES256_GCM,data:" data ",iv:" nonce ",tag:" sum + 0 ",type:str]"
}
function dec(text,  part, at, code, sum, plain) {
  if (text !~ /^ENC\[AES256_GCM,data:[0-9]*,iv:[0-9]+,tag:[0-9]+,type:str\]$/) die("no ciphertext")
  split(text, part, /[:,]/)
  for (at = 1; at * 3 <= length(part[3]); at++) {
    code = substr(part[3], at * 3 - 2, 3) - part[5] % 800
    sum += code * at
    plain = plain substr(letters, code, 1)
  }
  if (sum + 0 != part[7]) die("another authentication code")
  return plain
}
function each(name,  start, done, rest, key, value) {
  if (!match(object, "\"" name "\":[{]")) return
  start = substr(object, 1, RSTART + RLENGTH - 1)
  rest = substr(object, RSTART + RLENGTH)
  while (match(rest, /^,?"([^"\\]|\\.)*":"/)) {
    key = substr(rest, 1, RLENGTH)
    rest = substr(rest, RLENGTH + 1)
    match(rest, /^([^"\\]|\\.)*/)
    value = RLENGTH > 0 ? substr(rest, 1, RLENGTH) : ""
    rest = substr(rest, length(value) + 1)
    if (fault == "quotes-input") die("cannot read " value)
    done = done key (verb == "encrypt" ? enc(value) : dec(value)) "\""
    rest = substr(rest, 2)
  }
  object = start done rest
}
BEGIN { for (at = 32; at < 127; at++) letters = letters sprintf("%c", at) }
{ object = object $0 }
END {
  if (failed) exit 1
  if (verb == "decrypt") sub(/,"sops":.*$/, "}", object)
  if (verb == "decrypt" || fault != "leaves-open") { each("data"); each("stringData") }
  if (verb == "decrypt") { printf "%s", object; exit }
  if (fault == "encrypts-all") sub(/"kind":"[A-Za-z]*"/, "\"kind\":\"" enc("Secret") "\"", object)
  recipient = fault == "stranger" ? "age1strangerstrangerstrangerstranger" : "RECIPIENT"
  file = "-----BEGIN AGE ENCRYPTED FILE-----\\nx\\n-----END AGE ENCRYPTED FILE-----\\n"
  # JSON is YAML.
  printf "%s,\"sops\":{\"age\":[{\"recipient\":\"%s\",\"enc\":\"%s\"}]", substr(object, 1, length(object) - 1), recipient, file
  if (fault != "no-mac") printf ",\"mac\":\"%s\"", enc("mac")
  print ",\"lastmodified\":\"2026-11-20T08:00:00Z\",\"encrypted_regex\":\"^(data|stringData)$\",\"version\":\"3.11.0\"}}"
}'
