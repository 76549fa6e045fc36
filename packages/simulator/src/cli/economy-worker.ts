import { enableCompileCache } from "node:module";
import type { SimulationOptions } from "../options.ts";
import type { FromWorker } from "./economies.ts";

/** A process that runs one economy after the other, as it is told: economies.ts. */

enableCompileCache();
const { simulate } = await import("../simulate.ts");
const say = (said: FromWorker): void => void process.send?.(said);

process.on("message", async (options: SimulationOptions) => {
  const before = process.cpuUsage();
  try {
    const outcome = await simulate(options, (day, counts) => say({ kind: "day", day, counts }));
    const { user, system } = process.cpuUsage(before);
    say({ kind: "ran", outcome, cpuSeconds: (user + system) / 1e6 });
  } catch (error) {
    say({ kind: "fell-over", says: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
// Who asked is gone.
process.on("disconnect", () => process.exit());
