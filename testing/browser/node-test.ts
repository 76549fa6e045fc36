/** `node:test` as far as the conformance suites use it, for a page: tests are gathered and run one after another. */
export type Gathered = { readonly name: string; readonly failure: string | undefined };

const gathered: { readonly name: string; readonly run: () => Promise<void> | void }[] = [];

export function test(name: string, run: () => Promise<void> | void): void {
  gathered.push({ name, run });
}

export async function runGathered(): Promise<readonly Gathered[]> {
  const results: Gathered[] = [];
  for (const { name, run } of gathered) {
    try {
      await run();
      results.push({ name, failure: undefined });
    } catch (error) {
      results.push({ name, failure: error instanceof Error ? `${error.stack}` : String(error) });
    }
  }
  return results;
}
