import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Runs the test files named, in this one process. Node's own runner does the same without isolation, and passes a file
 * that throws after its first test was named: a change that breaks what a file prepares for its tests would live.
 */
for (const path of process.argv.slice(2)) await import(pathToFileURL(resolve(path)).href);
