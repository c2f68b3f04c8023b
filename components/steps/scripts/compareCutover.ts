// Before: openbao-0 serves on Raft.
// After: every entry of the inventory "cutover" is proved to be there, the same or newer.
import { compareStep } from "../inventorySteps";

export const compareCutover = compareStep("compare-cutover");

export default compareCutover;
