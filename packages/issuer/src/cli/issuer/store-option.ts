import type { IssuerStore } from "@cairn/stores";
import { CommandError, EXIT } from "../outcome.ts";
import type { Printer } from "../printer.ts";

export const STORE_OPTION = "--store <url>";
export const ABOUT_STORE_OPTION =
  "a PostgreSQL database (postgres://user@host/database) instead of the embedded one; also from CAIRN_STORE, where a password is not seen by other users";
export const CITUS_OPTION = "--citus";
export const ABOUT_CITUS_OPTION = "distribute the tables by partition when they are made (a Citus coordinator)";

export type StoreOptions = { readonly store?: string; readonly citus?: boolean };

/** Undefined for the embedded database. @throws CommandError STORE_URL_INVALID */
export function databaseUrl({ store }: StoreOptions): string | undefined {
  const connectionString = store ?? process.env.CAIRN_STORE;
  if (connectionString === undefined) return undefined;
  if (!/^postgres(?:ql)?:\/\//.test(connectionString))
    throw new CommandError({
      code: "STORE_URL_INVALID",
      sentence: "This is no database that Cairn can use.",
      next: "Name it like postgres://user@host:5432/database.",
      exitCode: EXIT.usage,
    });
  return connectionString;
}

/** The database that was named, opened; undefined for the embedded one. */
export async function openNamedStore(
  { store, citus }: StoreOptions,
  { progress }: Pick<Printer, "progress">,
): Promise<IssuerStore | undefined> {
  const connectionString = databaseUrl({ ...(store === undefined ? {} : { store }) });
  if (connectionString === undefined) return undefined;
  const { openPostgresIssuerStore } = await import("@cairn/stores");
  return openPostgresIssuerStore({ connectionString, progress, ...(citus === true ? { distribution: "citus" } : {}) });
}
