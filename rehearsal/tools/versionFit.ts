/** Which versions of a tool the rehearsal accepts. */
export interface VersionFit {
  /** The accepted versions in words, as the table prints them. */
  readonly text: string;
  /** Judges a version such as "1.34.4"; undefined means it could not be read. */
  accepts(found: string | undefined): boolean;
}

/** Accepts every patch release of the given version's minor. */
export function sameMinor(version: string): VersionFit {
  const [major, minor] = numbers(version);
  return {
    text: `${major}.${minor}.x`,
    accepts(found) {
      if (found === undefined) return false;
      const [foundMajor, foundMinor] = numbers(found);
      return foundMajor === major && foundMinor === minor;
    },
  };
}

/** Accepts `from` and newer, but not `below` and newer. */
export function between(from: string, below: string): VersionFit {
  return {
    text: `>=${from} <${below}`,
    accepts: (found) =>
      found !== undefined && compareVersions(found, from) >= 0 && compareVersions(found, below) < 0,
  };
}

/** Accepts exactly this version. */
export function exactly(version: string): VersionFit {
  return { text: version, accepts: (found) => found !== undefined && compareVersions(found, version) === 0 };
}

/** Accepts whatever is there, also when its version cannot be read. */
export const anyVersion: VersionFit = { text: "any", accepts: () => true };

/** Reads the first version number in a tool's answer, such as "1.34.4" in "Kubernetes v1.34.4". */
export function versionIn(text: string): string | undefined {
  return /\d+\.\d+(?:\.\d+)*/.exec(text)?.[0];
}

/** Orders two versions by their numbers: negative, zero or positive. */
export function compareVersions(left: string, right: string): number {
  const a = numbers(left);
  const b = numbers(right);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbers(version: string): number[] {
  return version.split(".").map((part) => Number.parseInt(part, 10) || 0);
}
