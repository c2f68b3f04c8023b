// Before: openbao-0 serves the snapshot that lay at hand.
// After: the inventory "restored" is stored: what stage verify compares with. No older one can be: the source is gone.
import { inventoryStep } from "../inventorySteps";

export const restoredInventory = inventoryStep("inventory-restored", "restored", "moved");

export default restoredInventory;
