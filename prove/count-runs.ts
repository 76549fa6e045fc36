import { appendFileSync } from "node:fs";
import fc from "fast-check";

/**
 * Loaded before a test file (`node --import`): counts how many cases its properties really tried, for the table of
 * `npm run prove`. A property that fails still fails, with fast-check's own words.
 */
const file = process.env.CAIRN_COUNT_FILE;
let runs = 0;

function count(details: fc.RunDetails<unknown>): void {
  runs += details.numRuns;
  if (!details.failed) return;
  throw new Error(fc.defaultReportMessage(details));
}

fc.configureGlobal({ ...fc.readConfigureGlobal(), reporter: count });
if (file !== undefined) process.on("exit", () => appendFileSync(file, `${runs}\n`));
