#!/bin/sh
# Removes what handMove.sh made: the file storage is as it was before.
set -eu
rm -rf /openbao/data/vault.db /openbao/data/raft /openbao/data/node-id
printf '{}' > /dev/termination-log
