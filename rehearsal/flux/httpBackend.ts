/** What `git http-backend` answered as a CGI program: its headers are for the client, the rest is the body. */
export interface CgiHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Where the body begins in the bytes that were read. */
  readonly bodyAt: number;
}

/** Pure: the CGI headers at the start of `bytes`; undefined while their end has not come. */
export function cgiHead(bytes: Buffer): CgiHead | undefined {
  const text = bytes.toString("latin1");
  const end = /\r?\n\r?\n/.exec(text);
  if (end === null) return undefined;
  const headers: Record<string, string> = {};
  for (const line of text.slice(0, end.index).split(/\r?\n/)) {
    const at = line.indexOf(":");
    if (at > 0) headers[line.slice(0, at).trim().toLowerCase()] = line.slice(at + 1).trim();
  }
  const { status, ...rest } = headers;
  return { status: Number.parseInt(status ?? "200", 10), headers: rest, bodyAt: end.index + end[0].length };
}

/** The part of a request that CGI hands on. */
export interface CgiRequest {
  readonly method: string;
  /** Path and query as the client sent them. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Pure: the environment of `git http-backend` for one request to the repositories below `root`. */
export function cgiEnvironment(request: CgiRequest, root: string): Record<string, string> {
  const { pathname, search } = new URL(request.url, "http://localhost");
  const header = (name: string): string => String(request.headers[name] ?? "");
  return {
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    REQUEST_METHOD: request.method,
    PATH_INFO: decodeURIComponent(pathname),
    QUERY_STRING: search.slice(1),
    CONTENT_TYPE: header("content-type"),
    REMOTE_ADDR: "127.0.0.1",
    ...(header("content-length") !== "" && { CONTENT_LENGTH: header("content-length") }),
    ...(header("content-encoding") !== "" && { HTTP_CONTENT_ENCODING: header("content-encoding") }),
    ...(header("git-protocol") !== "" && { GIT_PROTOCOL: header("git-protocol") }),
  };
}
