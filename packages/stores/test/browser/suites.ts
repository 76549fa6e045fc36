import { openIndexedDbTerminalJournal, openIndexedDbWalletStore } from "@cairn/stores/browser";
import { runGathered } from "../../../../testing/browser/node-test.ts";
import { testTerminalJournal } from "../terminal-journal.suite.ts";
import { walletStoreSuite } from "../wallet-store.suite.ts";
import { testDeviceKey } from "./device-key.suite.ts";
import { testDurableNotes } from "./durable-notes.suite.ts";
import { testReopening } from "./reopening.suite.ts";

/** The page's side of indexeddb.test.ts: the same suites that memory and SQLite pass. */
let made = 0;
const fresh = (): string => `store-${++made}`;

walletStoreSuite("wallet in IndexedDB", () => openIndexedDbWalletStore(fresh()));
testTerminalJournal("journal in IndexedDB", () => openIndexedDbTerminalJournal(fresh()));
testReopening(fresh);
testDeviceKey(fresh);
testDurableNotes(fresh);

Object.assign(globalThis, { cairnResults: await runGathered() });
