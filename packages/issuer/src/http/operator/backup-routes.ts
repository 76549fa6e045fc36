import { Type } from "@sinclair/typebox";
import * as api from "../../api/operator-api.ts";
import type { Encoded } from "../../api/wire.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** Copies of the embedded database. They can take long, so they are begun by one call and looked at by others. */
export function backupRoutes(app: OperatorApp, { backups }: ServerContext): void {
  app.post(
    "/backups",
    {
      schema: {
        body: Type.Object({}),
        ...operatorAnswer(
          { summary: "Begins a copy of the database beside it.", problems: ["BACKUP_ELSEWHERE"] },
          api.Backup,
        ),
      },
    },
    async (): Promise<Encoded<typeof api.Backup>> => backups.start(),
  );

  app.get(
    "/backups",
    { schema: operatorAnswer({ summary: "The copy begun last since the server started." }, api.listOf(api.Backup)) },
    async () => ({ items: backups.latest === undefined ? [] : [backups.latest] }),
  );
}
