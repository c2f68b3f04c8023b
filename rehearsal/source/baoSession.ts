import type { OpenBao, OpenBaoReply } from "../../components/cluster/openBaoClient";

/** Calls with one token, in one OpenBao namespace, where every status that was not asked for is an error. */
export interface BaoSession {
  /** The reply's `data` object. @throws Error that names the path and the server's own words, never the body sent. */
  call(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** The whole reply, for statuses that are an answer, and for `auth` and `wrap_info`. @throws as call. */
  reply(method: string, path: string, body?: object, alsoFine?: readonly number[]): Promise<OpenBaoReply>;
  /** The same token in another OpenBao namespace. */
  inNamespace(namespace: string): BaoSession;
}

/** A session of `token` on `bao`; `namespace` "" is the root. */
export function baoSession(bao: OpenBao, token: string, namespace = ""): BaoSession {
  const reply: BaoSession["reply"] = async (method, path, body, alsoFine = []) => {
    const answer = await bao.request(method, `/v1/${path}`, {
      token,
      ...(body && { body }),
      ...(namespace !== "" && { namespace }),
      timeoutMs: 30_000,
    });
    if (answer.status >= 400 && !alsoFine.includes(answer.status)) {
      const words = (answer.body as { errors?: unknown } | undefined)?.errors;
      throw new Error(
        `${bao.where}: ${method} ${path} in namespace "${namespace}" answered ${answer.status}, expected a success: ` +
          JSON.stringify(words ?? null).slice(0, 400),
      );
    }
    return answer;
  };
  return {
    reply,
    call: async (method, path, body) => {
      const answer = await reply(method, path, body);
      return ((answer.body as { data?: Record<string, unknown> } | undefined)?.data ?? {}) as Record<
        string,
        unknown
      >;
    },
    inNamespace: (other) => baoSession(bao, token, other),
  };
}

/** A secret's path as it stands in a URL: every segment encoded, the slashes kept. */
export function urlPath(path: string): string {
  return path.split("/").map(encodeURIComponent).join("/");
}
