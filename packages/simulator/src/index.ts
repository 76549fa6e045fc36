export { FAULT_KINDS, FAULTS, type FaultKind } from "./faults.ts";
export { DEFAULT_OPTIONS, type SimulationOptions } from "./options.ts";
export type { PromiseNumber, Violation } from "./promises/violation.ts";
export { type ShortestStory, shortestStory } from "./shrink.ts";
export { type Counts, type Day, type Outcome, simulate } from "./simulate.ts";
