import {
  OpenBaoUnreachable,
  type OpenBao,
  type OpenBaoCall,
  type OpenBaoReply,
} from "../../components/cluster/openBaoClient";

export interface FakePeer {
  readonly node_id: string;
  readonly address: string;
  readonly leader: boolean;
  readonly voter: boolean;
}

/** What a fake server answers; a test changes it before it looks. */
export interface FakeServer {
  /** False: every call fails as a connection would. */
  up: boolean;
  seal: Record<string, unknown>;
  health: number;
  isLeader: boolean;
  peers?: FakePeer[];
  capabilities: string[] | Record<string, string[]>;
  /** Seconds that the token has left, or that it may not look. @default it never ends */
  ttl?: number | "forbidden";
  /** The token that it knows; others get 403. */
  token: string;
}

export function fakeServer(storageType: "file" | "raft", token: string): FakeServer {
  return {
    up: true,
    seal: {
      type: "shamir",
      initialized: true,
      sealed: false,
      t: 1,
      n: 1,
      version: "2.4.0",
      storage_type: storageType,
      cluster_id: "5b1f6a0e-0000-4000-8000-000000000001",
    },
    health: 200,
    isLeader: storageType === "raft",
    capabilities: ["root"],
    token,
  };
}

/** A node that answers what the gate asks, from `server`. Requests are kept as "METHOD path". */
export class FakeOpenBao implements OpenBao {
  readonly requests: string[] = [];
  closed = false;

  constructor(
    readonly where: string,
    private readonly server: FakeServer,
  ) {}

  async request(method: string, path: string, call: OpenBaoCall = {}): Promise<OpenBaoReply> {
    this.requests.push(`${method} ${path}`);
    const { server } = this;
    if (!server.up) throw new OpenBaoUnreachable(`${this.where}: ${method} ${path}: connection refused`);
    const needsToken = !/\/sys\/(seal-status|health|leader)$/.test(path);
    if (needsToken && call.token !== server.token)
      return { status: 403, body: { errors: ["permission denied"] } };
    switch (path) {
      case "/v1/sys/seal-status":
        return { status: 200, body: server.seal };
      case "/v1/sys/health":
        return { status: server.health, body: {} };
      case "/v1/sys/leader":
        return { status: 200, body: { is_self: server.isLeader } };
      case "/v1/sys/storage/raft/configuration":
        return server.peers === undefined
          ? { status: 404, body: { errors: ["unsupported path"] } }
          : { status: 200, body: { data: { config: { servers: server.peers } } } };
      case "/v1/auth/token/lookup-self":
        return server.ttl === "forbidden"
          ? { status: 403, body: { errors: ["permission denied"] } }
          : { status: 200, body: { data: { ttl: server.ttl ?? 0 } } };
      case "/v1/sys/capabilities-self": {
        const paths = (call.body as { paths: string[] }).paths;
        const of = (one: string) =>
          Array.isArray(server.capabilities) ? server.capabilities : (server.capabilities[one] ?? []);
        return { status: 200, body: { data: Object.fromEntries(paths.map((one) => [one, of(one)])) } };
      }
      default:
        return { status: 404, body: { errors: [] } };
    }
  }

  close(): void {
    this.closed = true;
  }
}
