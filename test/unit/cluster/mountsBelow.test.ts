import assert from "node:assert/strict";
import { mountsBelow } from "../../../rehearsal/cluster/teardown";

const line = (point: string) => `41 26 0:20 / ${point} rw,relatime - tmpfs tmpfs rw`;

describe("mounts of the cluster", () => {
  it("come innermost first", async () => {
    const info = [line("/c/cluster/a"), line("/c/cluster/a/b")].join("\n");
    assert.deepEqual(mountsBelow("/c/cluster", info), ["/c/cluster/a/b", "/c/cluster/a"]);
  });

  it("leave out neighbours whose name only begins alike", async () => {
    assert.deepEqual(
      mountsBelow("/c/cluster", [line("/c/cluster2/a"), line("/c"), line("/")].join("\n")),
      [],
    );
  });

  it("are found when the path has a space in it", async () => {
    assert.deepEqual(mountsBelow("/my home/cluster", line("/my\\040home/cluster/x")), ["/my home/cluster/x"]);
  });
});
