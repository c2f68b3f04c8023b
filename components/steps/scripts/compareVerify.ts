// Before: all Raft nodes are voters.
// After: every entry of the inventory "cutover" is proved to be there, the same or newer.
import { compareStep } from "../inventorySteps";

export const compareVerify = compareStep("compare-verify");

export default compareVerify;
