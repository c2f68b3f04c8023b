import type { ScalarTag, Tags } from "yaml";

/** Go reads `0o17` as a number too, which YAML 1.1 does not; `0640` is octal in both. */
const GO_OCTAL: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^[-+]?0o[0-7_]+$/,
  resolve: (text) => parseInt(text.replace(/_|0o/g, ""), 8),
};

/** Kubernetes reads YAML 1.1 by Go's rules, which know neither 12:30 as a number nor dates. */
export const GO_YAML = {
  version: "1.1",
  customTags: (tags: Tags): Tags => [
    GO_OCTAL,
    ...tags.filter((tag) => {
      if (typeof tag === "string") return true;
      return !("format" in tag && tag.format === "TIME") && tag.tag !== "tag:yaml.org,2002:timestamp";
    }),
  ],
} as const;
