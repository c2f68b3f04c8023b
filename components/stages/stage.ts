import * as pulumi from "@pulumi/pulumi";
import type { MigrationConfig } from "../../config";
import { MigrationStep } from "../steps/migrationStep";
import { stepsOf, type PlanStage, type StepRecord } from "../steps/plan";
import { stepInput } from "../steps/stepInput";

export interface StageArgs {
  readonly config: MigrationConfig;
}

/** Base of the stages: turns the plan's `after` into `dependsOn`; nothing else sets the order inside a stage. */
export abstract class MigrationStage extends pulumi.ComponentResource {
  private readonly made = new Map<string, pulumi.Resource>();
  private readonly plan: StepRecord[];

  constructor(
    private readonly stage: PlanStage,
    type: string,
    private readonly stageName: string,
    private readonly config: MigrationConfig,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(type, stageName, {}, opts);
    this.plan = stepsOf(config).filter((record) => record.stage === stage);
  }

  /** Registers a resource that steps of the plan name in their `after`. */
  protected place<T extends pulumi.Resource>(id: string, resource: T): T {
    this.made.set(id, resource);
    return resource;
  }

  /** Says that nothing has to be made under this id: what names it comes after `before`. */
  protected stand(id: string, before: readonly pulumi.Resource[]): void {
    const [last] = before;
    if (last !== undefined) this.made.set(id, last);
  }

  /** Makes the stage's steps up to and without `until` (default: all that are left), in the plan's order. */
  protected steps(
    until?: string,
    extra: Readonly<Record<string, Partial<ReturnType<typeof stepInput>>>> = {},
    keepsInput: readonly string[] = [],
  ): void {
    for (const record of this.plan) {
      if (record.id === until) return;
      if (this.made.has(record.id)) continue;
      const input = { ...stepInput(record.id, this.config, this.stage), ...extra[record.id] };
      const step = new MigrationStep(
        `${this.stageName}-${record.id}`,
        { record, input, ...(keepsInput.includes(record.id) && { keepsInput: true }) },
        { parent: this, dependsOn: this.after(record.after) },
      );
      this.made.set(record.id, step);
    }
  }

  /** The resources behind ids. @throws Error for an id that is not made yet: this is a bug in the plan. */
  protected after(ids: readonly string[]): pulumi.Resource[] {
    return ids.map((id) => {
      const resource = this.made.get(id);
      if (resource === undefined)
        throw new Error(`"${id}" is named before it is made in stage ${this.stage}; this is a bug`);
      return resource;
    });
  }
}
