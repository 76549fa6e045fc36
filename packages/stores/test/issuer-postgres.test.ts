import { test } from "node:test";
import { fewPaymentsSuite } from "./issuer-few-payments.suite.ts";
import { issuerStoreSuite } from "./issuer-store.suite.ts";
import { noPostgres, openEmptyStore } from "./postgres-for-tests.ts";

if (noPostgres === undefined) {
  issuerStoreSuite("postgres", () => openEmptyStore());
  fewPaymentsSuite("postgres", () => openEmptyStore(), { numRuns: 40 });
} else test("postgres", { skip: noPostgres }, () => undefined);
