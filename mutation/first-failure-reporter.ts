import type { TestEvent } from "node:test/reporters";

/** Ends the process with the first test that fails: what the others would say, nobody asks. */
export default async function* firstFailure(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type } of events) if (type === "test:fail") process.exit(1);
  yield "";
}
