import { MemoryWalletStore } from "../src/index.ts";
import { walletStoreSuite } from "./wallet-store.suite.ts";

walletStoreSuite("memory", async () => new MemoryWalletStore());
