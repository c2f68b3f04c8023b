import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { replicaFloorEdit } from "../../components/land/replicaFloorEdit";
import { networkPolicyObject } from "../../components/raftPolicyObjects";
import { landedPolicies } from "../../rehearsal/landedClaims";
import { PLATFORM_TREE, REPLICA_FLOOR_FILE } from "../../rehearsal/source/platformFiles";

const place = { namespace: "openbao", release: "openbao" };
const live = networkPolicyObject(place, ["Ingress", "Egress"]);
const LISTED = "resources:\n  - networkpolicy-raft.yaml\n";
const FLOOR = readFileSync(join(PLATFORM_TREE, REPLICA_FLOOR_FILE), "utf8");
const LANDED = replicaFloorEdit(FLOOR, { ...place, file: REPLICA_FLOOR_FILE });
const held = (policy: object, kustomization: string, floor: string) =>
  landedPolicies(live, stringify(policy), kustomization, floor).map(({ holds }) => holds);

describe("the rehearsal's claims on what landed beside the release (F69)", () => {
  it("hold for the policy that runs, listed, and the floor without OpenBao", () => {
    assert.deepEqual(held(live, LISTED, LANDED), [true, true]);
  });

  it("fail for other rules, for a file that no kustomization lists, and for the exemption as it was", () => {
    assert.deepEqual(held(networkPolicyObject(place, ["Ingress"]), LISTED, FLOOR), [false, false]);
    assert.deepEqual(held(live, "resources: []\n", ""), [false, false]);
    assert.deepEqual(landedPolicies(undefined, "", "", LANDED)[0]!.holds, false);
  });
});
