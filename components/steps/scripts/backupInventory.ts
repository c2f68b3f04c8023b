// Before: the source serves on file storage.
// After: the content inventory labelled "backup" is stored in the namespace.
import { main } from "../runStep";
import { inventoryStep } from "../inventorySteps";

export const backupInventory = inventoryStep("inventory-backup", "backup");

if (require.main === module) main(backupInventory);
