import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** The engine that started this plugin. */
export class Engine {
  private readonly client: EngineClient;
  private lastLine: Promise<void> = Promise.resolve();

  /** @param address host:port, the plugin's last argument. */
  constructor(address: string) {
    this.client = new EngineClient(address, grpc.credentials.createInsecure(), {
      // An idle connection would look like a dead engine.
      "grpc.client_idle_timeout_ms": 2 ** 31 - 1,
    });
  }

  /** Shows a status line at the resource. Lines keep their order. */
  logStatus(urn: string, message: string): void {
    const request = new LogRequest();
    request.setSeverity(LogSeverity.INFO);
    request.setUrn(urn);
    request.setMessage(message);
    request.setEphemeral(true);
    this.lastLine = this.lastLine.then(
      () => new Promise((resolve) => this.client.log(request, () => resolve())),
    );
  }

  /** Resolves when every line so far has reached the engine, or cannot. */
  async flush(): Promise<void> {
    await this.lastLine;
  }

  /** Calls back once when the engine is gone: its address accepts no connection any more. */
  onGone(callback: () => void): void {
    const channel = this.client.getChannel();
    const watch = (): void => {
      const state = channel.getConnectivityState(true);
      if (state === grpc.connectivityState.TRANSIENT_FAILURE || state === grpc.connectivityState.SHUTDOWN) {
        callback();
        return;
      }
      channel.watchConnectivityState(state, Infinity, watch);
    };
    watch();
  }
}
