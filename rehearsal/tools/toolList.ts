import { anyVersion, between, exactly, sameMinor, type VersionFit } from "./versionFit";

/** Built from a pinned wrapper module in rehearsal/tools/go/<wrapper>. */
export interface GoSource {
  readonly kind: "go";
  readonly wrapper: string;
  readonly packages: readonly string[];
  /** Linker flags beyond -s -w. */
  readonly ldflags: string;
  /** A file of a required module that has to lie beside the wrapper's main.go. */
  readonly besideMain?: { readonly module: string; readonly path: string };
  /** A folder of a required module that is kept beside the binary, under the name `as`. */
  readonly keepFolder?: { readonly module: string; readonly path: string; readonly as: string };
}

/** Installed by apt-get when root. */
export interface DebianSource {
  readonly kind: "debian";
  readonly package: string;
}

/** Laid from this checkout where the real one is absent. */
export interface StandInSource {
  readonly kind: "stand-in";
}

/** One row of the tools table: what is needed, and where it can come from. */
export interface ToolPart {
  readonly name: string;
  /** The version that is built here when nothing fitting is found. */
  readonly version: string;
  readonly binaries: readonly string[];
  readonly source: GoSource | DebianSource | StandInSource;
  /** What is accepted of the user's own. */
  readonly fit: VersionFit;
  /** How to ask the first binary for its version. Left out: it cannot be asked. */
  readonly versionArgs?: readonly string[];
  /** Folders to look in besides PATH. */
  readonly alsoIn?: readonly string[];
  /** Folders to look in instead of PATH: iproute2 has another "bridge" there than CNI. */
  readonly onlyIn?: readonly string[];
  /** Accepted from PATH only in the same folder as this binary, whose version then counts. */
  readonly besideBinary?: string;
  /** A Pulumi plugin: looked for in this folder of the user's plugins, not on PATH. */
  readonly pluginFolder?: string;
  /** Only a binary without a dynamic loader will do: it is copied into images. */
  readonly staticOnly?: boolean;
  /** Made only when it is asked for by name. */
  readonly optional?: boolean;
}

const kubernetesVersion =
  "-X k8s.io/component-base/version.gitVersion=v1.34.4 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34";
const kubeBinaries = ["kube-apiserver", "kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy"];
const pulumiVersionFlag = "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
const kubernetesProvider = "github.com/pulumi/pulumi-kubernetes/provider/v4";

/** What is built from Go modules, in build order. The flags decide Go's build cache hits: a change costs minutes. */
const goParts: readonly ToolPart[] = [
  {
    name: "kubernetes",
    version: "1.34.4",
    binaries: kubeBinaries,
    source: go(
      "kubernetes",
      kubeBinaries.map((name) => `k8s.io/kubernetes/cmd/${name}`),
      kubernetesVersion,
    ),
    fit: sameMinor("1.34.4"),
    versionArgs: ["--version"],
  },
  {
    name: "openbao",
    version: "2.4.0",
    binaries: ["bao"],
    source: go(
      "openbao",
      ["github.com/openbao/openbao"],
      "-X github.com/openbao/openbao/version.fullVersion=2.4.0",
    ),
    fit: sameMinor("2.4.0"),
    versionArgs: ["version"],
  },
  {
    name: "helm",
    version: "3.19.5",
    binaries: ["helm"],
    source: go("helm", ["helm.sh/helm/v3/cmd/helm"], "-X helm.sh/helm/v3/internal/version.version=v3.19.5"),
    fit: between("3.14.0", "4"),
    versionArgs: ["version", "--short"],
  },
  {
    name: "coredns",
    version: "1.13.1",
    binaries: ["coredns"],
    source: go("coredns", ["."], ""),
    fit: between("1.11.0", "2"),
    versionArgs: ["--version"],
  },
  {
    name: "pulumi",
    version: "3.259.0",
    binaries: ["pulumi"],
    source: go("pulumi", ["github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"], `${pulumiVersionFlag}=v3.259.0`),
    fit: between("3.259.0", "4"),
    versionArgs: ["version"],
  },
  {
    name: "language-nodejs",
    version: "3.68.0",
    binaries: ["pulumi-language-nodejs"],
    source: go(
      "language-nodejs",
      ["github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs"],
      `${pulumiVersionFlag}=v3.68.0`,
    ),
    fit: anyVersion,
    besideBinary: "pulumi",
  },
  {
    name: "provider-kubernetes",
    version: "4.25.0",
    binaries: ["pulumi-resource-kubernetes"],
    source: {
      ...go("provider-kubernetes", ["."], ""),
      besideMain: { module: kubernetesProvider, path: "cmd/pulumi-resource-kubernetes/schema.json" },
    },
    fit: exactly("4.25.0"),
    pluginFolder: "resource-kubernetes-v4.25.0",
  },
  {
    name: "kubectl",
    version: "1.34.4",
    binaries: ["kubectl"],
    source: go("kubernetes", ["k8s.io/kubernetes/cmd/kubectl"], kubernetesVersion),
    fit: between("1.30", "2"),
    versionArgs: ["version", "--client"],
  },
];

/** Flux's own controllers, for `npm run rehearse -- --flux`; each with the definitions of its objects. */
const fluxParts: readonly ToolPart[] = [
  fluxController("kustomize-controller", "1.7.3"),
  fluxController("source-controller", "1.8.5"),
];

/** What encrypts the keys of a reseed for Git, for `npm run rehearse -- --carry reseed --sops`. */
const sopsPart: ToolPart = {
  name: "sops",
  version: "3.11.0",
  binaries: ["sops"],
  source: go("sops", ["github.com/getsops/sops/v3/cmd/sops"], ""),
  // Standard input without a file name came with 3.10.
  fit: between("3.10.0", "4"),
  // Without the first it asks the network for its newest version.
  versionArgs: ["--disable-version-check", "--version"],
  optional: true,
};

const debianParts: readonly ToolPart[] = [
  { ...debian("etcd-server", ["etcd"]), fit: between("3.4.0", "3.7"), versionArgs: ["--version"] },
  {
    ...debian("containerd", ["containerd", "containerd-shim-runc-v2", "ctr"]),
    // From 2 on the configuration file has another layout than the cluster writes.
    fit: between("1.6.0", "2"),
    versionArgs: ["--version"],
  },
  { ...debian("runc", ["runc"]), fit: between("1.1.0", "2"), versionArgs: ["--version"] },
  {
    ...debian("containernetworking-plugins", ["bridge", "host-local", "loopback", "portmap"]),
    onlyIn: ["/opt/cni/bin", "/usr/lib/cni"],
  },
  { ...debian("busybox-static", ["busybox"]), versionArgs: ["--help"], staticOnly: true },
  { ...debian("conntrack", ["conntrack"]), versionArgs: ["--version"] },
  { ...debian("ipset", ["ipset"]), versionArgs: ["--version"] },
  { ...debian("iptables", ["iptables"]), versionArgs: ["--version"] },
  { ...debian("nftables", ["nft"]), versionArgs: ["--version"] },
  { ...debian("iproute2", ["ip"]) },
  { ...debian("socat", ["socat"]), versionArgs: ["-V"] },
  { ...debian("openssl", ["openssl"]), fit: between("1.1.1", "5"), versionArgs: ["version"] },
];

/** Every part, in the order in which missing ones are made: quick ones first, then the builds. */
export const toolList: readonly ToolPart[] = [
  ...debianParts,
  ...goParts,
  ...fluxParts,
  sopsPart,
  {
    name: "provider-command",
    version: "1.2.1",
    binaries: ["pulumi-resource-command"],
    source: { kind: "stand-in" },
    fit: exactly("1.2.1"),
    pluginFolder: "resource-command-v1.2.1",
  },
];

/** The binaries of Flux itself. */
export const fluxBinaries: readonly string[] = fluxParts.flatMap((part) => part.binaries);

/** The binaries that are needed when the cluster is the user's own: nothing that runs a node. */
export const clientBinaries: readonly string[] = [
  "pulumi",
  "pulumi-language-nodejs",
  "pulumi-resource-kubernetes",
  "pulumi-resource-command",
  "helm",
  "kubectl",
  "openssl",
];

/** Finds the part that a binary belongs to. @throws when no part has it: a bug in the caller. */
export function partOf(binary: string): ToolPart {
  const part = toolList.find((candidate) => candidate.binaries.includes(binary));
  if (!part) throw new Error(`"${binary}" is in no part of toolList.ts; add it there: this is a bug.`);
  return part;
}

function go(wrapper: string, packages: readonly string[], ldflags: string): GoSource {
  return { kind: "go", wrapper, packages, ldflags };
}

/** Never taken from PATH: the definitions have to be of the same version. */
function fluxController(name: string, version: string): ToolPart {
  const module = `github.com/fluxcd/${name}`;
  return {
    name,
    version,
    binaries: [name],
    source: {
      ...go(name, [module], ""),
      keepFolder: { module, path: "config/crd/bases", as: "crds" },
    },
    fit: exactly(version),
    onlyIn: [],
    optional: true,
  };
}

function debian(name: string, binaries: readonly string[]): ToolPart {
  return {
    name,
    version: "Debian's",
    binaries,
    source: { kind: "debian", package: name },
    fit: anyVersion,
    alsoIn: ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"],
  };
}
