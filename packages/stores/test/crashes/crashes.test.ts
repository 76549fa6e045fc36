import { test } from "node:test";
import { hasPostgresServer } from "../../../../scripts/postgres-server.ts";
import { injectCrashes } from "./inject.ts";

/** The short form of `npm run crashes`: every kind of fault, on both stores. */
const SQLITE_CRASHES = 10;
const POSTGRES_CRASHES = 12;

test("SQLite: nothing is lost, doubled or answered otherwise, whatever is killed, full or failing", async () => {
  await injectCrashes({ stores: ["sqlite"], count: SQLITE_CRASHES, seed: 1 });
});

const skip = hasPostgresServer() ? false : "no PostgreSQL server for this platform";
test("PostgreSQL: the same, and with its server killed and its replies lost", { skip }, async () => {
  await injectCrashes({ stores: ["postgres"], count: POSTGRES_CRASHES, seed: 2 });
});
