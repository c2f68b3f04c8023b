/** Hazards that no look can see before the act, and what is done about each instead; data for docs/hazards.md. */
export const NOT_VISIBLE: readonly {
  readonly ids: readonly string[];
  readonly why: string;
  readonly instead: string;
}[] = [
  {
    ids: ["F24"],
    why: "whether the held key opens THIS store shows only on the store's own entries, which lie on the volume",
    instead:
      "step key-proof decrypts them in memory while the server runs; check key-proven and step stop ask for its proof",
  },
  {
    ids: ["F20", "I13", "I18", "F21"],
    why: "the entries of the file tree lie on the volume, which only a pod on its node can read",
    instead: "step file-copy reads every entry: zero-byte, .temp, damaged and too large ones stop it",
  },
  {
    ids: ["F44", "F45", "F46", "F49"],
    why: "a policy that reads well may still not be enforced, or enforced late; a name may not resolve",
    instead: "step network-probe connects between nodes on both ports, both ways, by each name",
  },
  {
    ids: ["F16", "F17", "F18", "I14"],
    why: "a copy that is cut short looks whole and exits 0",
    instead: "step carry compares every key and ciphertext before the swap",
  },
  {
    ids: ["F23"],
    why: "a write may be acknowledged in the last moment before the stop",
    instead: "steps inventory-cutover and compare-cutover compare the content by keyed digests",
  },
  {
    ids: ["I42"],
    why: "whether a node has room for a pod shows when it is placed: another pod may take the slot",
    instead: "the nodes are counted here; every wait for a pod is bounded and names the pod",
  },
  {
    ids: ["F39"],
    why: "whether each node can pull the image shows when it does",
    instead: "step network-probe runs the server's own image on the nodes",
  },
  {
    ids: ["I10"],
    why: "whether the server's pod reaches the API server shows in the pod",
    instead: "service registration is counted by step services; the wait for unseal-0 is bounded",
  },
  {
    ids: ["I25", "F30", "F31", "F32"],
    why: "Velero and other backups lie outside the namespace and are not looked at yet",
    instead: "stage backup makes a copy of its own on the volume, whatever else exists",
  },
  {
    ids: ["F1", "F2", "F4", "F5", "F6", "F7", "F13", "F40", "F41"],
    why: "a crash is not there before it happens",
    instead: "every step observes first and converges or refuses when it runs again",
  },
];
