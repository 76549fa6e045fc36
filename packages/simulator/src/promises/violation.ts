/** A line of "What may never happen" (docs/spec/promises.md). */
export type PromiseNumber = 1 | 2 | 3 | 4 | 5 | 6 | 7;
/** A promise that was broken, and how. */
export type Violation = { readonly promise: PromiseNumber; readonly says: string };

/** Ends the run at the moment at which it was seen. */
export class Broken extends Error {
  readonly violation: Violation;
  constructor(violation: Violation) {
    super(`promise ${violation.promise}: ${violation.says}`);
    this.violation = violation;
  }
}
