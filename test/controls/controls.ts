import type { Control } from "./control";
import { PLATFORM_CONTROLS } from "./platformControls";
import { STORE_CONTROLS } from "./storeControls";

/** In the order of the fault matrix; the test holds the list of bugs. */
export const CONTROLS: readonly Control[] = [...PLATFORM_CONTROLS, ...STORE_CONTROLS];
