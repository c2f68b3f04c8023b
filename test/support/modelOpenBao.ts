import type { OpenBao, OpenBaoCall, OpenBaoReply } from "../../components/cluster/openBaoClient";

export interface ModelVersion {
  data?: unknown;
  deletion_time?: string;
  destroyed?: boolean;
}

/** Content of a model server. A test changes it between two inventories. */
export interface ModelContent {
  kv1: Record<string, unknown>;
  /** Versions by number, oldest first; the last is the current one. */
  kv2: Record<string, Record<number, ModelVersion>>;
  policies: Record<string, string>;
  /** Version numbers of each transit key. */
  transit: Record<string, number>;
  mountUuid: string;
}

export function modelContent(): ModelContent {
  return {
    kv1: { "app/db": { password: "kv1-value-of-app" }, top: { n: 1 } },
    kv2: {
      "app/db": {
        1: { destroyed: true },
        2: { deletion_time: "2020-01-01T00:00:00Z" },
        3: { data: { a: "kv2-value" } },
      },
      "app/api": { 1: { data: { key: "api-value" } } },
    },
    policies: { default: "path {}", root: "" },
    transit: { k1: 2 },
    mountUuid: "uuid-1",
  };
}

/** The part of OpenBao's HTTP API that an inventory reads, over plain data. Unknown paths answer 404, as OpenBao does. */
export class ModelOpenBao implements OpenBao {
  readonly where = "model";
  /** "METHOD path" of every request. */
  readonly requests: string[] = [];
  /** Statuses that win over the content, by decoded path. */
  readonly planted = new Map<string, number>();

  constructor(readonly content: ModelContent) {}

  request(method: string, path: string, call: OpenBaoCall = {}): Promise<OpenBaoReply> {
    this.requests.push(`${method} ${path}`);
    const [coded = "", query = ""] = path.split("?");
    const at = coded.split("/").slice(2).map(decodeURIComponent).join("/");
    const planted = this.planted.get(at);
    if (planted !== undefined) return Promise.resolve({ status: planted, body: { errors: [] } });
    const data =
      call.namespace === undefined ? this.answer(method, at, new URLSearchParams(query)) : undefined;
    return Promise.resolve(data ?? { status: 404, body: { errors: [] } });
  }

  close(): void {}

  private answer(method: string, at: string, query: URLSearchParams): OpenBaoReply | undefined {
    const { kv1, kv2, policies, transit, mountUuid } = this.content;
    if (method === "LIST") {
      const under = (prefix: string, names: string[]) => listing(at, prefix, names);
      return (
        under("old/", Object.keys(kv1)) ??
        under("secret/detailed-metadata/", Object.keys(kv2)) ??
        under("sys/policies/acl", Object.keys(policies)) ??
        under("transit/keys", Object.keys(transit)) ??
        under("auth/token/accessors", ["a", "b"])
      );
    }
    if (at === "sys/mounts") {
      const mount = (type: string, options: object | null) => ({
        type,
        options,
        uuid: mountUuid,
        accessor: type,
      });
      return ok({
        "old/": mount("kv", { version: "1" }),
        "secret/": mount("kv", { version: "2" }),
        "transit/": mount("transit", null),
        "cloud/": mount("cloud", null),
      });
    }
    if (at === "sys/auth" || at === "sys/audit") return ok({});
    const [, mount = "", name = ""] =
      /^(old|sys\/policies\/acl|transit\/keys|secret\/metadata|secret\/data)\/(.*)$/s.exec(at) ?? [];
    if (mount === "old" && Object.hasOwn(kv1, name)) return ok(kv1[name]);
    if (mount === "sys/policies/acl" && Object.hasOwn(policies, name))
      return ok({ name, policy: policies[name] });
    if (mount === "transit/keys" && Object.hasOwn(transit, name)) return ok(transitKey(name, transit[name]!));
    if (!Object.hasOwn(kv2, name)) return undefined;
    const versions = kv2[name]!;
    if (mount === "secret/metadata") {
      const flags = Object.entries(versions).map(([n, { data: _data, ...rest }]) => [n, rest]);
      const current = Math.max(0, ...Object.keys(versions).map(Number));
      return ok({ current_version: current, versions: Object.fromEntries(flags), max_versions: 0 });
    }
    const version = versions[Number(query.get("version"))];
    return version?.data === undefined ? undefined : ok({ data: version.data });
  }
}

function listing(at: string, prefix: string, names: string[]): OpenBaoReply | undefined {
  if (!at.startsWith(prefix)) return undefined;
  const folder = at.slice(prefix.length);
  const keys = names
    .filter((name) => name.startsWith(folder))
    .map((name) => /^[^/]*\/?/.exec(name.slice(folder.length))![0]);
  return keys.length === 0 ? undefined : ok({ keys: [...new Set(keys)] });
}

function transitKey(name: string, latest: number): object {
  const numbers = Array.from({ length: latest }, (_, n) => n + 1);
  return { name, latest_version: latest, keys: Object.fromEntries(numbers.map((n) => [n, 1000 + n])) };
}

function ok(data: unknown): OpenBaoReply {
  return { status: 200, body: { data } };
}
