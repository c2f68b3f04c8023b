// Before: the source serves on file storage.
// After: the content inventory labelled "backup" is stored in the namespace.
import { inventoryStep } from "../inventorySteps";

export const backupInventory = inventoryStep("inventory-backup", "backup");

export default backupInventory;
