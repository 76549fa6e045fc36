import { SqliteIssuerStore } from "@cairn/stores";
import { fewPaymentsSuite } from "./issuer-few-payments.suite.ts";
import { issuerStoreSuite } from "./issuer-store.suite.ts";

issuerStoreSuite("sqlite", () => new SqliteIssuerStore(":memory:"));
fewPaymentsSuite("sqlite", () => new SqliteIssuerStore(":memory:"), { numRuns: 300 });
