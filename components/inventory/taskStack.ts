export type Task = () => Promise<void>;

/** Tasks that may add tasks. The newest runs first, so a deep tree is walked with a short backlog. */
export class TaskStack {
  private readonly waiting: Task[] = [];

  push(task: Task): void {
    this.waiting.push(task);
  }

  /** Runs until no task is left, at most `parallel` at a time. @throws the first failure, after the running tasks ended. */
  drain(parallel: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let running = 0;
      let failure: { readonly error: unknown } | undefined;
      const advance = () => {
        while (failure === undefined && running < parallel) {
          const task = this.waiting.pop();
          if (task === undefined) break;
          running++;
          task()
            .catch((error: unknown) => {
              failure ??= { error };
            })
            .finally(() => {
              running--;
              advance();
            });
        }
        if (running > 0) return;
        if (failure === undefined) resolve();
        else reject(failure.error as Error);
      };
      advance();
    });
  }
}
