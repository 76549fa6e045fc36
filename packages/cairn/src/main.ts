import { enableCompileCache } from "node:module";
import type { Command } from "commander";
import { boundServerMemory } from "./server-memory.ts";

boundServerMemory(process.argv);
// Compiled sources are kept between runs: a till must not wait for the same work twice. Where no cache can be written
// (a process that may write only its own folder) everything works, a little slower.
enableCompileCache();
const { runProgram } = await import("@cairn/issuer/program");
await runProgram(process.argv, {
  simulate: async (program: Command) => (await import("@cairn/simulator/command")).addSimulateCommand(program),
});
