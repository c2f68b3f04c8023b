// Before: the Jobs have filled the new store.
// After: the inventory "reseeded" is stored: what stage verify compares with.
import { inventoryStep } from "../inventorySteps";

export const reseededInventory = inventoryStep("inventory-reseeded", "reseeded", "moved");

export default reseededInventory;
