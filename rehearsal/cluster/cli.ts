import { down, kubeconfigPath, status, up, type ClusterStatus } from "./cluster";

const USAGE = `Usage: npm run cluster -- up | status | down
  up      brings the three-node throw-away Kubernetes up, or repairs it
  status  shows nodes, processes, DNS and pods; exit code 1 when it is not up
  down    removes it and everything that it left on the machine
`;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Columns padded to the widest cell. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function show(found: ClusterStatus): void {
  print(`Cluster: ${found.state}`);
  if (found.state === "down") return;
  print(
    `API server: ${found.apiReady ? "ready" : "not ready"}   DNS: ${found.dnsAnswers ? "answers" : "does not answer"}`,
  );
  print(`Kubeconfig: ${kubeconfigPath()} (context rehearsal)\n`);
  print(
    table([
      ["NODE", "ADDRESS", "READY"],
      ...found.nodes.map((n) => [n.name, n.address, n.ready ? "yes" : "no"]),
    ]),
  );
  const dead = found.processes.filter((p) => !p.alive).map((p) => p.name);
  print(
    `\nProcesses: ${found.processes.length - dead.length} of ${found.processes.length} run${dead.length ? `; ended: ${dead.join(", ")}` : ""}\n`,
  );
  const pods = found.pods.map((p) => [
    p.namespace,
    p.name,
    p.node,
    p.address,
    p.phase,
    p.ready ? "yes" : "no",
  ]);
  print(table([["NAMESPACE", "POD", "NODE", "ADDRESS", "PHASE", "READY"], ...pods]));
}

async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (rest.length > 0 || !command || !["up", "status", "down"].includes(command)) {
    process.stderr.write(`Found "${args.join(" ")}".\n${USAGE}`);
    return 2;
  }
  if (command === "up") await up(print);
  if (command === "down") await down(print);
  if (command !== "status") return 0;
  const found = await status();
  show(found);
  return found.state === "up" ? 0 : 1;
}

// A reader that has seen enough (`| head`) closes the pipe; that is no failure of the cluster.
process.stdout.on("error", () => undefined);

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
