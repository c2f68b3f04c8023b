#!/bin/sh
# Serves a copy of the stopped Raft store on loopback, so that the last acknowledged write is in the snapshot.
# Before: no server runs; /openbao/data is the Raft store, mounted read-only.
# After:  unchanged. The copy is in the pod's work folder, in memory or for a large one on the node's disk, and goes
#         with the pod. The caller ends the Job.
set -eu
umask 077
mkdir -p /scratch/data
cp -R /openbao/data/vault.db /openbao/data/raft /scratch/data/
[ ! -f /openbao/data/node-id ] || cp /openbao/data/node-id /scratch/data/
exec bao server -config=/job/server.hcl
