/**
 * Path names that break programs which build URLs, files or shell lines by hand. None holds "..": file storage refuses
 * it. None ends in ".temp": file storage would write another key's content there for a moment.
 */
export const ODD_PATHS: readonly string[] = [
  "app one/db password",
  " leading and trailing ",
  "ünïcode/пароль/密碼/🔑",
  "combining/e\u0301 and \u00e9",
  "100%/a%20b/%2F",
  "plus+sign/c++",
  "dots/v1.2.3/.hidden/trailing.",
  "-leading/--flag/trailing-",
  "_under/_score/__",
  "hash#tag/question?mark",
  "amp&and=eq/semi;colon,comma",
  "quote'and\"double/`tick`",
  "dollar$HOME/$(id)/${x}",
  "star*/brackets[0]{1}<2>|",
  "back\\slash/tilde~/at@host:8200",
  "UPPER/Mixed/lower",
  "upper/mixed/LOWER",
  // A secret and a folder of one name.
  "both",
  "both/child",
  "metadata/data/versions",
  "data",
  "1",
  "deep/" + Array.from({ length: 24 }, (_, level) => `l${level + 1}`).join("/"),
  // File storage names a file after the encrypted segment, and 255 bytes are a file name's limit.
  `long/${"n".repeat(90)}`,
];
