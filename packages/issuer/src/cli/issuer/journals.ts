import { readFile } from "node:fs/promises";
import { CodedError, splitCborSequence } from "@cairn/cose";
import type { Command } from "commander";
import { MAXIMUM_JOURNAL_RECORDS } from "../../api/operator-api.ts";
import { addCommand } from "../command.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { counted } from "../printer.ts";
import { type OperatorOptions, operatorClient, withOperatorOptions } from "./operator.ts";

/** `cairn issuer import-journal`: what a broken terminal had stored, out of the file that it exported. */
export function addJournalCommands(issuer: Command): void {
  addCommand<OperatorOptions>(
    issuer,
    "import-journal <file>",
    "Take in the exported journal of a terminal that is lost or broken. May be repeated: nothing is settled twice.",
    withOperatorOptions,
    async (printer, options, file = "") => {
      const client = await operatorClient(options);
      const records = await journalRecords(file);
      const refused: { readonly code: string | null; readonly sentence: string | null }[] = [];
      for (let from = 0; from < records.length; from += MAXIMUM_JOURNAL_RECORDS) {
        const answers = await client.importJournal(records.slice(from, from + MAXIMUM_JOURNAL_RECORDS));
        refused.push(...answers.filter(({ state }) => state === "refused"));
        printer.progress(`${Math.min(from + MAXIMUM_JOURNAL_RECORDS, records.length)} of ${records.length} taken in`);
      }
      for (const { code, sentence } of refused) printer.progress(`${code}: ${sentence}`);
      const received = records.length - refused.length;
      printer.line(
        `Received ${counted(received, "record")}${refused.length === 0 ? "" : `, ${refused.length} refused`}.`,
      );
      printer.result({ received, refused: refused.length });
    },
  );
}

async function journalRecords(file: string): Promise<readonly Uint8Array[]> {
  const bytes = new Uint8Array(await readFile(file));
  try {
    return [...splitCborSequence(bytes)];
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause;
    throw new CommandError({
      code: cause.code,
      sentence: "This file is damaged or is no exported journal.",
      next: "Export the journal again, or copy the file again.",
      exitCode: EXIT.usage,
    });
  }
}
