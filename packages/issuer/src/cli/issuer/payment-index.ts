import { join } from "node:path";
import type { Command } from "commander";
import { addCommand } from "../command.ts";
import { requireFile } from "../existing-file.ts";
import { CommandError } from "../outcome.ts";
import { counted } from "../printer.ts";
import { DEFAULT_ISSUER_FOLDER } from "./operator.ts";

type RebuildOptions = { readonly data: string; readonly file?: string };

/** `cairn issuer rebuild-index`: of the embedded database, whose server has to be stopped; PostgreSQL has REINDEX. */
export function addPaymentIndexCommand(issuer: Command): void {
  addCommand<RebuildOptions>(
    issuer,
    "rebuild-index",
    "Write the payment index of the embedded database anew from what was received. The server must be stopped; killed half-way, it can be run again.",
    (command) =>
      command
        .option("--data <folder>", "the issuer's data folder", DEFAULT_ISSUER_FOLDER)
        .option("--file <file>", "a database file elsewhere, such as a copy"),
    async (printer, { data, file = join(data, "issuer.sqlite") }) => {
      await requireFile(file, "Name the issuer's data folder with --data, or its database with --file.");
      const { rebuildPaymentIndex, StoreError } = await import("@cairn/stores");
      printer.progress("Reading every record...");
      const begunAt = performance.now();
      try {
        const { records } = rebuildPaymentIndex(file, { progress: printer.progress });
        const seconds = Math.round(performance.now() - begunAt) / 1_000;
        printer.line(`The payment index is written anew from ${counted(records, "record")}, in ${seconds} s.`);
        printer.line(`Now let the books be read: cairn ledger verify --file ${file}`);
        printer.result({ file, records, seconds });
      } catch (error) {
        if (!(error instanceof StoreError && error.code === "STORE_IN_USE")) throw error;
        throw new CommandError({
          code: error.code,
          sentence: error.message,
          next: "Stop the issuer, then type the same command again. Payers and tills go on meanwhile.",
        });
      }
    },
  );
}
