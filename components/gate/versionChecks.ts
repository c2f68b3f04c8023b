import { fail, faults, notApplicable, pass, seen, seenObject, unclear, type Check } from "./check";
import { fittingNodes } from "./nodeFit";
import { valueOr } from "./observed";
import { cutoverIsUnderWay, hasMoved } from "./progress";
import type { ClusterSnapshot } from "./snapshot";
import { withServer } from "./withServer";

const VERSIONS = "2.4.x, 2.5.1 or later 2.5.x, or 2.6.x";

/** What the server is configured to, and which version runs. */
export const versionChecks: readonly Check[] = [
  {
    id: "server-config",
    stage: "cutover",
    hazard: {
      ids: ["I27", "I34", "I40"],
      loss: "the server does not start on Raft, or runs unaudited, after the old store was stopped",
    },
    severity: "block",
    waivable: false,
    observe: "the standalone server config of the HelmRelease, turned into a Raft config in memory",
    judge: (snapshot) => {
      const expected = "a config that can be turned into one for Raft";
      if (snapshot.path !== "migrate" && valueOr(snapshot.release, undefined)?.mode === "raft")
        return notApplicable("the release is on Raft already");
      return seen(snapshot.serverConfig, expected, (config) => {
        if (config === undefined) {
          return hasMoved(snapshot)
            ? notApplicable("the release is on Raft")
            : unclear("no server config was found", expected);
        }
        if (config.fault !== undefined) return fail(config.fault, expected);
        const devices = config.auditDevices.join(", ") || "none";
        return pass(`storage ${config.storage ?? "?"}, audit ${devices}`, expected);
      });
    },
    remedy: "correct server.standalone.config in the HelmRelease's values",
    source: "facts/openbao.md section 7, audit trap",
  },
  {
    id: "listener-tls",
    stage: "cutover",
    hazard: {
      ids: ["F61"],
      loss: "http is spoken to a listener that wants TLS: nothing answers, and no follower joins",
    },
    severity: "block",
    waivable: true,
    observe: "tls_disable of the API listener in the server config, against openbao-migration:tls",
    judge: (snapshot, { tls }) => {
      const expected =
        "a listener with TLS and openbao-migration:tls, or neither; no demand for client certificates";
      return seen(snapshot.serverConfig, expected, (server) => {
        if (server?.tls === undefined) return notApplicable("no listener is known");
        const found = `TLS is ${server.tls ? "on" : "off"}, openbao-migration:tls is ${tls === undefined ? "not set" : "set"}`;
        if (server.tls !== (tls !== undefined)) return fail(found, expected);
        if (server.tls && server.clientCerts === true)
          return fail("tls_require_and_verify_client_cert: this program has no client certificate", expected);
        return pass(found, expected);
      });
    },
    remedy:
      "pulumi config set --path openbao-migration:tls.caSecret SECRET (its CA checks the listener's certificate)",
    source: "hazards.md row 61",
  },
  {
    id: "version-source",
    stage: "cutover",
    hazard: {
      ids: ["I11", "I12"],
      loss: "2.5.0 cannot unseal after the move; 2.7 has no file storage any more",
    },
    severity: "block",
    waivable: false,
    observe: "version of the first server, and server.image.tag of the values",
    judge: (snapshot) =>
      cutoverIsUnderWay(snapshot)
        ? notApplicable("the cutover is under way")
        : withServer(snapshot, VERSIONS, ({ version }) => {
            const running = judgeVersion(version, VERSIONS);
            // The flip applies the values: their version starts with the move, whatever runs now.
            const tag = tagOf(`x:${valuesTag(snapshot) ?? ""}`);
            if (running.verdict !== "pass" || tag === undefined) return running;
            return judgeVersion(tag, VERSIONS).verdict === "pass"
              ? running
              : fail(`server.image.tag ${tag} in the values, running ${version}`, VERSIONS);
          }),
    remedy: "set server.image.tag to a fitting version and roll the pod while it is on file storage",
    source: "openbao#2466, #2467, #2846",
  },
  {
    id: "version-target",
    stage: "cutover",
    hazard: {
      ids: ["I12", "F39"],
      loss: "the pod that is rolled would run another version than the one that made the data",
    },
    severity: "block",
    waivable: true,
    observe:
      "image of the StatefulSet's template, and server.image.tag of the values, against the version that runs",
    judge: (snapshot) => {
      const expected = "the image of the version that runs";
      if (cutoverIsUnderWay(snapshot)) return notApplicable("the cutover is under way");
      return seenObject(snapshot.statefulSet, "the StatefulSet", expected, (set) =>
        withServer(snapshot, expected, ({ version }) => {
          const tag = tagOf(set.image);
          if (tag === undefined) return unclear(`image "${set.image}" names no version`, expected);
          const found = `image tag ${tag}, running ${version}`;
          if (tag !== plainVersion(version)) return fail(found, expected);
          const wanted = valuesTag(snapshot);
          if (wanted === undefined) return pass(found, expected);
          // A suspended release can hold a tag that nothing has applied yet: the flip would.
          const next = tagOf(`x:${wanted}`);
          if (next === undefined)
            return unclear(`server.image.tag "${wanted}" in the values names no version`, expected);
          return next === tag
            ? pass(found, expected)
            : fail(`server.image.tag ${next} in the values, running ${version}`, expected);
        }),
      );
    },
    remedy: "move first, upgrade afterwards: pin server.image.tag to the running version",
    source: "facts/openbao.md section 7; deprecation notice of file storage",
  },
  {
    id: "image-present",
    stage: "network",
    hazard: {
      ids: ["F39"],
      loss: "a node that cannot pull the server's image holds up the stage that needs it",
    },
    severity: "warn",
    waivable: true,
    observe: "images that the kubelets hold, on the nodes where a server may be placed",
    judge: ({ statefulSet, nodes }) => {
      const expected = "the server's image on every node that may get a server";
      return seenObject(statefulSet, "the StatefulSet", expected, (set) =>
        seen(nodes, expected, (all) => {
          const fitting = fittingNodes(set, all);
          const image = fullName(set.image);
          const without = fitting.filter((node) => !node.images.map(fullName).includes(image));
          return faults(
            without.map((node) => node.name),
            `on ${fitting.length} node(s)`,
            expected,
          );
        }),
      );
    },
    remedy:
      "nothing, when the nodes can pull it: step network-probe pulls it on each; a kubelet lists its 50 largest images",
    source: "hazards.md row 39",
  },
];

/** server.image.tag of the release's values; undefined when it is left to the chart. */
function valuesTag(snapshot: ClusterSnapshot): string | undefined {
  const tag = valueOr(snapshot.release, undefined)?.imageTag;
  if (tag === undefined || tag.kind === "absent" || tag.text === "") return undefined;
  return tag.text ?? tag.shown;
}

/** As a container runtime names it: with registry and tag. */
function fullName(image: string): string {
  const [first = ""] = image.split("/");
  const hosted = image.includes("/") && /[.:]|^localhost$/.test(first);
  const path = hosted ? image : `docker.io/${image.includes("/") ? "" : "library/"}${image}`;
  return /@|:[^/]+$/.test(path) ? path : `${path}:latest`;
}

function judgeVersion(version: string, expected: string) {
  const parts = /^v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})/.exec(version);
  if (parts === null) return unclear(`version "${version}"`, expected);
  const [major, minor, patch] = parts.slice(1).map(Number) as [number, number, number];
  const fits = major === 2 && (minor === 4 || (minor === 5 && patch >= 1) || minor === 6);
  return fits ? pass(version, expected) : fail(version, expected);
}

/** A version without "v" and build part. */
export function plainVersion(version: string): string {
  return version.replace(/^v/, "").replace(/\+.*$/, "");
}

/** The version that an image's tag names, or undefined. */
export function tagOf(image: string): string | undefined {
  const name = image.replace(/@sha256:[0-9a-f]+$/, "");
  const tag = /:([^:/]+)$/.exec(name)?.[1];
  return tag === undefined || !/^v?\d/.test(tag) ? undefined : plainVersion(tag);
}
