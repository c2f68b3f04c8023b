import assert from "node:assert/strict";
import {
  anyVersion,
  between,
  compareVersions,
  exactly,
  sameMinor,
  versionIn,
} from "../../../rehearsal/tools/versionFit";

describe("version fitting", () => {
  const answers: readonly [answer: string, version: string][] = [
    ["Kubernetes v1.34.4", "1.34.4"],
    ["OpenBao v2.4.0 (f9407a27fbee), built 2025-08-28T20:23:15Z", "2.4.0"],
    ["v3.19.5+g4f953c2", "3.19.5"],
    ["CoreDNS-1.13.1\nlinux/amd64, go1.26", "1.13.1"],
    ["etcd Version: 3.4.23\nGit SHA: Not provided", "3.4.23"],
    ["containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3", "1.6.20"],
    ["OpenSSL 3.0.19 27 Jan 2026", "3.0.19"],
  ];
  for (const [answer, version] of answers) {
    it(`reads ${version} from "${answer.split("\n")[0]}"`, () => assert.equal(versionIn(answer), version));
  }

  it("reads nothing from an answer without a version", () =>
    assert.equal(versionIn("flag provided but not defined"), undefined));

  it("accepts another patch of the same minor and no other minor", () => {
    const fit = sameMinor("1.34.4");
    assert.equal(fit.accepts("1.34.0"), true);
    assert.equal(fit.accepts("1.33.4"), false);
    assert.equal(fit.accepts("2.34.4"), false);
  });

  it("accepts the lower end of a range and not its upper end", () => {
    const fit = between("3.14.0", "4");
    assert.equal(fit.accepts("3.14.0"), true);
    assert.equal(fit.accepts("3.9.9"), false);
    assert.equal(fit.accepts("4.0.0"), false);
  });

  it("accepts an unreadable version only where any version will do", () => {
    assert.equal(anyVersion.accepts(undefined), true);
    for (const fit of [sameMinor("1.0"), between("1", "2"), exactly("1.2.1")])
      assert.equal(fit.accepts(undefined), false);
  });

  it("orders versions by number, not by text", () => {
    assert.ok(compareVersions("1.10.0", "1.9.0") > 0);
    assert.equal(compareVersions("1.2", "1.2.0"), 0);
  });
});
