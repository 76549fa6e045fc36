import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import type { CheckpointAnswer, CheckpointOrder, CheckpointThreadData } from "./checkpointer.ts";

/** The thread of a checkpointer: a connection of its own that moves pages from the log into the file. */

const { location, closed } = workerData as CheckpointThreadData;
let sqlite: DatabaseSync | undefined;

// However the thread ends, when the file cannot be opened as well: somebody waits for it.
process.on("exit", () => {
  sqlite?.close();
  Atomics.store(closed, 0, 1);
  Atomics.notify(closed, 0);
});

sqlite = new DatabaseSync(location);

parentPort?.on("message", (order: CheckpointOrder) => {
  if (order === "close") process.exit();
  else parentPort?.postMessage(move());
});

function move(): CheckpointAnswer {
  try {
    sqlite?.exec("PRAGMA wal_checkpoint(PASSIVE)");
    return "moved";
  } catch {
    return "failed";
  }
}
