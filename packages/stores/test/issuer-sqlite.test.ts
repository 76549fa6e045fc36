import { SqliteIssuerStore } from "@cairn/stores";
import { issuerStoreSuite } from "./issuer-store.suite.ts";

issuerStoreSuite("sqlite", () => new SqliteIssuerStore(":memory:"));
