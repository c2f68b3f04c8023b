// Before: the other writers are paused, the source still serves.
// After: the content inventory labelled "cutover" is stored: what the moved store is compared with.
import { inventoryStep } from "../inventorySteps";

export const cutoverInventory = inventoryStep("inventory-cutover", "cutover");

export default cutoverInventory;
