import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import * as provider from "./commandProvider";
import type { Engine } from "./engine";
import type { PropertyChange } from "./propertyDiff";
import type { WireObject } from "./wireValues";

const VERSION = "1.2.1";

/** Makes the gRPC server of the plugin. @param onCancel called when the user interrupts the update. */
export function makeServer(engine: Engine, onCancel: () => void): grpc.Server {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  server.addService(ResourceProviderService as unknown as grpc.ServiceDefinition, {
    getPluginInfo: answer(() => {
      const info = new PluginInfo();
      info.setVersion(VERSION);
      return info;
    }),
    configure: answer(configure),
    check: answer(check),
    diff: answer(diff),
    create: answer((request: rpc.CreateRequest) => create(request, engine)),
    read: answer(read),
    update: answer((request: rpc.UpdateRequest) => update(request, engine)),
    delete: answer((request: rpc.DeleteRequest) => remove(request, engine)),
    cancel: answer(() => {
      onCancel();
      return new Empty();
    }),
  });
  return server;
}

type Handler<Request, Response> = (request: Request) => Response | Promise<Response>;

function answer<Request, Response>(
  handle: Handler<Request, Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handle(call.request))
      .then(
        (response) => callback(null, response),
        (error: unknown) =>
          callback({
            code: grpc.status.UNKNOWN,
            details: error instanceof Error ? error.message : String(error),
          }),
      );
  };
}

/** Secrets come as tagged values and go back so: state then keeps them encrypted. */
function configure(): rpc.ConfigureResponse {
  const response = new rpc.ConfigureResponse();
  response.setAcceptsecrets(true);
  response.setSupportspreview(true);
  response.setAcceptresources(true);
  return response;
}

function check(request: rpc.CheckRequest): rpc.CheckResponse {
  const faults = provider.check(request.getUrn(), fromStruct(request.getNews()));
  const response = new rpc.CheckResponse();
  response.setInputs(request.getNews());
  response.setFailuresList(
    faults.map(({ property, reason }) => {
      const failure = new rpc.CheckFailure();
      failure.setProperty(property);
      failure.setReason(reason);
      return failure;
    }),
  );
  return response;
}

function diff(request: rpc.DiffRequest): rpc.DiffResponse {
  const oldInputs = request.hasOldInputs() ? fromStruct(request.getOldInputs()) : undefined;
  const news = { ...fromStruct(request.getNews()) };
  for (const ignored of request.getIgnorechangesList()) {
    const kept = fromStruct(request.getOlds())[ignored];
    if (kept !== undefined) news[ignored] = kept;
  }
  const changes = provider.diff(fromStruct(request.getOlds()), oldInputs, news);
  const response = new rpc.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = rpc.DiffResponse.DiffChanges;
  response.setChanges(changes.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList([...new Set(changes.map((change) => topLevel(change.path)))]);
  response.setReplacesList(changes.some((change) => change.replaces) ? ["triggers"] : []);
  response.setHasdetaileddiff(true);
  for (const change of changes) response.getDetaileddiffMap().set(change.path, propertyDiff(change));
  return response;
}

async function create(request: rpc.CreateRequest, engine: Engine): Promise<rpc.CreateResponse> {
  const made = await logged(engine, request, request.getPreview(), (operation) =>
    provider.create(fromStruct(request.getProperties()), operation),
  );
  const response = new rpc.CreateResponse();
  response.setId(made.id);
  response.setProperties(toStruct(made.properties));
  return response;
}

async function update(request: rpc.UpdateRequest, engine: Engine): Promise<rpc.UpdateResponse> {
  const properties = await logged(engine, request, request.getPreview(), (operation) =>
    provider.update(fromStruct(request.getOlds()), fromStruct(request.getNews()), operation),
  );
  const response = new rpc.UpdateResponse();
  response.setProperties(toStruct(properties));
  return response;
}

async function remove(request: rpc.DeleteRequest, engine: Engine): Promise<Empty> {
  const properties = fromStruct(request.getProperties());
  await logged(engine, request, false, (operation) => provider.remove(properties, operation));
  return new Empty();
}

/** A command has no state elsewhere that could be read: what was known stays. */
function read(request: rpc.ReadRequest): rpc.ReadResponse {
  const response = new rpc.ReadResponse();
  response.setId(request.getId());
  response.setProperties(request.getProperties());
  response.setInputs(request.getInputs());
  return response;
}

async function logged<Result>(
  engine: Engine,
  request: { getUrn(): string; getTimeout(): number },
  preview: boolean,
  run: (operation: provider.Operation) => Promise<Result>,
): Promise<Result> {
  const urn = request.getUrn();
  const onLine = (line: string): void => engine.logStatus(urn, line);
  try {
    return await run({ urn, preview, timeoutSeconds: request.getTimeout(), onLine });
  } finally {
    await engine.flush();
  }
}

function propertyDiff(change: PropertyChange): rpc.PropertyDiff {
  const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = rpc.PropertyDiff.Kind;
  const kinds = {
    add: [ADD, ADD_REPLACE],
    delete: [DELETE, DELETE_REPLACE],
    update: [UPDATE, UPDATE_REPLACE],
  } as const;
  const result = new rpc.PropertyDiff();
  result.setKind(kinds[change.kind][change.replaces ? 1 : 0]);
  return result;
}

function topLevel(path: string): string {
  return /^[\w$]+/.exec(path)?.[0] ?? path;
}

function fromStruct(struct: Struct | undefined): WireObject {
  return (struct?.toJavaScript() ?? {}) as WireObject;
}

function toStruct(properties: WireObject): Struct {
  return Struct.fromJavaScript(properties as Record<string, JavaScriptValue>);
}
