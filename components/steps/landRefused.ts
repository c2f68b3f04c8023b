import { LandRefusal } from "../land/landRefusal";
import { Refused } from "./runStep";

/** Does `work` on the checkout; what it refuses, the step refuses, under `hazard`. @throws Refused; else what `work` throws */
export async function landRefused<T>(hazard: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LandRefusal) throw new Refused(`${error.message} [${hazard}]`, hazard);
    throw error;
  }
}
