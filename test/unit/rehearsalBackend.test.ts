import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { backendEnv, backendFault, stackNames } from "../../rehearsal/backend";
import { parseOptions } from "../../rehearsal/options";
import { PulumiStack } from "../../rehearsal/pulumiStack";

describe("rehearse --backend", () => {
  it("takes a folder by its absolute path, and a bucket", () => {
    for (const url of [
      "file:///srv/state",
      "s3://state/pulumi?region=eu-1&awssdk=v2",
      "gs://state",
      "azblob://state",
    ]) {
      assert.equal(backendFault(url), undefined, url);
      assert.equal(parseOptions(["--backend", url]).backend, url);
    }
  });

  it("refuses what Pulumi would read in another way, with what is expected (F62)", () => {
    for (const url of [
      "",
      "/srv/state",
      "file://state",
      "file:/srv/state",
      "file:state",
      "file:///",
      "s3://",
      "s3:state",
      "ftp://host/x",
      "https://api.example.com",
      "file:///a b",
      "file:///a\nb",
      "s3://ä",
      `file:///${"x".repeat(2000)}`,
    ]) {
      assert.throws(() => parseOptions([`--backend=${url}`]), /--backend: expected file:\/\/\/FOLDER/, url);
    }
  });

  it("refuses credentials in it, and does not repeat them", () => {
    const thrown = () => parseOptions(["--backend", "s3://user:canary@state"]);
    assert.throws(
      thrown,
      (error: Error) => /found credentials/.test(error.message) && !/canary/.test(error.message),
    );
  });
});

describe("the rehearsal's stack in a backend of the user's own", () => {
  let dir: string;
  let path: string | undefined;
  let passphrase: string | undefined;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "backend-"));
    path = process.env["PATH"];
    passphrase = process.env["PULUMI_CONFIG_PASSPHRASE"];
    process.env["PATH"] = [dir, path].join(delimiter);
    process.env["PULUMI_CONFIG_PASSPHRASE"] = "";
  });
  afterEach(() => {
    process.env["PATH"] = path;
    if (passphrase === undefined) delete process.env["PULUMI_CONFIG_PASSPHRASE"];
    else process.env["PULUMI_CONFIG_PASSPHRASE"] = passphrase;
    rmSync(dir, { recursive: true });
  });

  /** A pulumi that notes how it is called, and answers `stack ls` with `names`. */
  function stackOver(names: readonly string[], backend?: string): PulumiStack {
    const list = JSON.stringify(names.map((name) => ({ name, current: false })));
    const script = `#!/bin/sh
if [ "$1" = version ]; then echo v3.259.0; exit 0; fi
echo "$* $PULUMI_BACKEND_URL \${PULUMI_CONFIG_PASSPHRASE_FILE:-none}" >> ${dir}/calls
echo 'warning: a newer version is there'
echo '${list}'
`;
    writeFileSync(join(dir, "pulumi"), script, { mode: 0o755 });
    writeFileSync(join(dir, "pulumi-language-nodejs"), "#!/bin/sh\n", { mode: 0o755 });
    const runDir = join(dir, "run");
    mkdirSync(runDir, { recursive: true });
    return new PulumiStack({
      runDir,
      kubeconfig: "",
      config: {},
      log: () => undefined,
      ...(backend !== undefined && { backend }),
    });
  }
  const calls = () => readFileSync(join(dir, "calls"), "utf8").trim().split("\n");

  it("is made there, and opened by the user's own passphrase", async () => {
    const stack = stackOver(["prod"], "file:///srv/state");
    await stack.refuseExisting();
    await stack.select("network");
    assert.deepEqual(calls(), [
      "stack ls --json --non-interactive file:///srv/state none",
      "stack init dev --secrets-provider passphrase file:///srv/state none",
    ]);
    assert.equal(existsSync(join(dir, "run/passphrase")), false);
  });

  it("refuses a stack that is there, says what to do, and touches nothing (F5, F64)", async () => {
    for (const name of ["dev", "organization/openbao-migration/dev"]) {
      await assert.rejects(
        stackOver(["prod", name], "file:///srv/state").refuseExisting(),
        /stack "dev" is in file:\/\/\/srv\/state already.*pulumi stack rename dev-old --stack dev/,
      );
    }
    assert.deepEqual([...new Set(calls().map((call) => call.split(" --")[0]))], ["stack ls"]);
  });

  it("is in this run's folder, with a passphrase of its own, when no backend is named", async () => {
    await stackOver([]).select("network");
    const run = join(dir, "run");
    assert.deepEqual(calls(), [
      `stack init dev --secrets-provider passphrase file://${run}/state ${run}/passphrase`,
    ]);
  });

  it("is refused without the passphrase by which production opens it", () => {
    assert.throws(
      () => backendEnv(dir, "file:///srv/state", {}),
      /found neither PULUMI_CONFIG_PASSPHRASE nor/,
    );
    const file = { PULUMI_CONFIG_PASSPHRASE_FILE: "passphrase" };
    assert.deepEqual(backendEnv(dir, "file:///srv/state", file), {
      PULUMI_BACKEND_URL: "file:///srv/state",
      PULUMI_CONFIG_PASSPHRASE_FILE: join(process.cwd(), "passphrase"),
    });
  });

  it("takes no answer but a list for a list of stacks", () => {
    assert.deepEqual(stackNames('[{"name":"a/b/dev"}]'), ["dev"]);
    assert.throws(() => stackNames("error: unable to open bucket"), /no list/);
  });
});
