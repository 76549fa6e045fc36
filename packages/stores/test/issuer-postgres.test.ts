import { test } from "node:test";
import { issuerStoreSuite } from "./issuer-store.suite.ts";
import { noPostgres, openEmptyStore } from "./postgres-for-tests.ts";

if (noPostgres === undefined) issuerStoreSuite("postgres", () => openEmptyStore());
else test("postgres", { skip: noPostgres }, () => undefined);
