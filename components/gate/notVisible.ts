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
    instead:
      "step file-copy reads every entry: zero-byte and .temp ones stop it; for large ones the entry size is raised by itself; step carry compares every entry",
  },
  {
    ids: ["F44", "F45", "F46", "F49"],
    why: "a policy that reads well may still not be enforced, or enforced late; a name may not resolve",
    instead:
      "step network-probe connects between nodes on both ports, both ways, and to the running server by its name; a follower's own name resolves only once its pod is there, and step follower waits for it",
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
    ids: ["I41"],
    why: "the policies of a descheduler, of a node autoscaler and of node upgrades lie outside the API, and a drain or a pressure on the node comes when it comes; a VerticalPodAutoscaler may have been told of minReplicas 2 and so spare one pod",
    instead:
      "autoscalers of the StatefulSet, annotations, taints and cordons are seen; a Job that was evicted ends with no result and the step is run again, and while the server is down its pod cannot be evicted",
  },
  {
    ids: ["I42"],
    why: "whether a node has room for a pod shows when it is placed: another pod may take the slot",
    instead: "the nodes are counted here; every wait for a pod is bounded and names the pod",
  },
  {
    ids: ["F59"],
    why: "a policy, or an exemption of Pod Security, may judge by who asks: this user in a dry run, a controller in the act",
    instead:
      "all else that admission judges is asked by dry runs; every wait for a pod is bounded and names the pod",
  },
  {
    ids: ["F39"],
    why: "whether each node can pull the image shows when it does",
    instead: "step network-probe runs the server's own image on the nodes",
  },
  {
    ids: ["I10"],
    why: "whether the server's pods reach the API server shows in a pod",
    instead:
      "step network-probe asks the API server from pods with the server's labels, before anything is stopped; service registration is counted by step services",
  },
  {
    ids: ["I24", "F32"],
    why: "what a backup job stored lies in an object store, and whether a later upload fails is not there yet",
    instead:
      "stage backup makes a copy of its own on the volume and checks it by content, whatever else exists",
  },
  {
    ids: ["I26"],
    why: "it comes with a restore of single volumes of a Raft cluster, long after the move",
    instead: "such a backup is not the way back: README names the file data, kept as it was",
  },
  {
    ids: ["F1", "F2", "F4", "F5", "F6", "F7", "F13", "F40", "F41"],
    why: "a crash is not there before it happens",
    instead: "every step observes first and converges or refuses when it runs again",
  },
  {
    ids: ["F3", "F12", "F47", "F48", "F63"],
    why: "a signal, an API error, a cut or a slow network, a strange answer comes in the middle of a step",
    instead:
      "reads are tried again, each wait has a bound, and a step that fails converges or refuses at the next run",
  },
  {
    ids: ["F14", "F15", "F50", "I21", "I23", "H7"],
    why: "they come with exec, with init, with a Service for an address, or with a snapshot by the CLI",
    instead:
      "HTTP to one pod by its name, and success is judged by the state that is seen; carry migrate and none make no init, steps restore and init make one, held to one by a claim whatever dies",
  },
  {
    ids: ["I19", "I22", "I46", "F28", "F29", "H1", "H3"],
    why: "they come with a restore of a snapshot",
    instead:
      "carry migrate restores none: the same ciphertext under the same keys, compared entry by entry; step snapshot proves that the snapshot is whole and that the stored key opens it, and step restore works on one empty node and judges by its state",
  },
  {
    ids: ["I16", "F67"],
    why: "they come with the way back",
    instead:
      "nothing migrates back from Raft: the file data stays as it was at the stop; with another carry than migrate a rollback is refused",
  },
  {
    ids: ["I29", "I30"],
    why: "a follower joins only after it has started",
    instead:
      "check raft-join reads retry_join of a source on Raft, and the program's own names each pod; step follower waits for states, never for a time, and can run again",
  },
  {
    ids: ["I43", "I44"],
    why: "they come with a rekey or a new root token",
    instead: "the program does neither; key and token stay those of the source",
  },
  {
    ids: ["F36"],
    why: "whether a new pod may write its audit file shows when it writes",
    instead: "step services makes each node answer an audited request",
  },
  {
    ids: ["I50"],
    why: "a broken Raft file shows when its server starts again",
    instead:
      "two of three servers go on; the third is built anew from them: delete its pod and its data claim",
  },
  {
    ids: ["I17"],
    why: "whether the store lies on its claim, and a copy beside it, shows only in a pod that mounts the claim",
    instead:
      "step file-copy mounts the claim alone, refuses when the keyring is not at its root, and writes beside it",
  },
  {
    ids: ["I39"],
    why: "what was deleted while Flux was paused shows when it goes on",
    instead: "step zero-drift compares what was rendered with what runs, after step resume",
  },
  {
    ids: ["F52"],
    why: "whether a follower has joined before it is unsealed is a matter of the order in one step",
    instead: "step follower unseals a pod only when it says that it has joined",
  },
  {
    ids: ["F70"],
    why: "how often a leader dies, and what a failover then costs, is not there before it happens",
    instead:
      "step failover-drill makes one leader step down, and waits, in a bound, for another one and for all voters",
  },
  {
    ids: ["I47", "F62", "F64", "F65"],
    why: "they are faults of a program like this one, not of a cluster",
    instead:
      "no secret is an input, output, argument or file; no shell sees a value; nothing is approved but by the gate of this very run",
  },
];
