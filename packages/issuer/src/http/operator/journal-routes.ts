import * as api from "../../api/operator-api.ts";
import type { Encoded } from "../../api/wire.ts";
import { importJournal } from "../../services/journal-import.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { recordText } from "../sync-answer.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** What terminals that are lost or broken had stored, out of the copies that were exported of it. */
export function journalRoutes(app: OperatorApp, context: ServerContext): void {
  app.post(
    "/journals",
    {
      schema: {
        body: api.JournalImport,
        ...operatorAnswer(
          {
            summary: "Takes in records of a terminal's exported journal, as if the terminal had brought them.",
            problems: ["CALL_MALFORMED", "TERMINAL_UNKNOWN", "INBOX_FULL"],
          },
          api.JournalImportAnswer,
        ),
      },
    },
    async ({ body }): Promise<Encoded<typeof api.JournalImportAnswer>> => {
      const records = await importJournal(body.records, context);
      context.log.info({ records: records.length }, "journal imported");
      return { records: records.map(recordText) };
    },
  );
}
