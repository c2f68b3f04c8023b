import * as pulumi from "@pulumi/pulumi";

/** One resource as the program registered it, with what Pulumi's mocks hide (pulumi/pulumi#14421). */
export interface Recorded {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly parent: string;
  readonly dependsOn: readonly string[];
  readonly secretOutputs: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly retainOnDelete: boolean;
  readonly protect: boolean;
}

interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
  getDependenciesList(): string[];
  getAdditionalsecretoutputsList(): string[];
  getIgnorechangesList(): string[];
  getRetainondelete(): boolean;
  getProtect(): boolean;
}

interface Monitor {
  registerResource(
    request: Request,
    callback: (error: unknown, answer: { getUrn(): string }) => void,
  ): unknown;
}

/** Builds resources against a fresh recording monitor and gives them in the order of their registration. */
export async function recordResources(preview: boolean, build: () => void): Promise<Recorded[]> {
  const seen: Recorded[] = [];
  const mocks: pulumi.runtime.Mocks = {
    newResource: ({ name, inputs }) => ({ id: preview ? undefined : `${name}-id`, state: inputs as object }),
    call: ({ token }) => {
      throw new Error(`an invoke that no test expects: ${token}`);
    },
  };
  await pulumi.runtime.setMocks(mocks, "openbao-migration", "test", preview);
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, answer) => {
      if (answer !== null && answer !== undefined) seen.push(recorded(request, answer.getUrn()));
      callback(error, answer);
    });
  await pulumi.runtime.runInPulumiStack(() => {
    build();
    return Promise.resolve({});
  });
  // Registrations run on after the program's last line.
  await pulumi.runtime.disconnect();
  return seen.filter(({ type }) => type !== "pulumi:pulumi:Stack");
}

function recorded(request: Request, urn: string): Recorded {
  return {
    type: request.getType(),
    name: request.getName(),
    urn,
    inputs: request.getObject()?.toJavaScript() ?? {},
    parent: request.getParent(),
    dependsOn: request.getDependenciesList(),
    secretOutputs: request.getAdditionalsecretoutputsList(),
    ignoreChanges: request.getIgnorechangesList(),
    retainOnDelete: request.getRetainondelete(),
    protect: request.getProtect(),
  };
}
