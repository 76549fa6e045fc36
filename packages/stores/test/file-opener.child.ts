import { createInterface } from "node:readline";
import { SqliteTerminalJournal, SqliteWalletStore } from "@cairn/stores";

/**
 * A process that opens and closes the files it is told, one a line, and says of each "opened" or what went wrong.
 *     node file-opener.child.ts terminal|wallet
 */
const Store = process.argv[2] === "wallet" ? SqliteWalletStore : SqliteTerminalJournal;
process.stdout.write("ready\n");
for await (const path of createInterface({ input: process.stdin })) {
  process.stdout.write("opening\n");
  try {
    await new Store(path).close();
    process.stdout.write("opened\n");
  } catch (error) {
    process.stdout.write(`${String(error)}\n`);
  }
}
