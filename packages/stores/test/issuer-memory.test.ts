import { MemoryIssuerStore } from "@cairn/stores";
import { issuerStoreSuite } from "./issuer-store.suite.ts";

issuerStoreSuite("memory", () => new MemoryIssuerStore());
