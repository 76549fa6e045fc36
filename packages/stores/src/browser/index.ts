/** Stores for browsers: IndexedDB, nothing of Node. */
export { type DeviceKeyPair, deviceKeyPair } from "./device-key.ts";
export { type DurableNotes, openDurableNotes } from "./durable-notes.ts";
export { IndexedDbTerminalJournal, openIndexedDbTerminalJournal } from "./indexeddb-terminal-journal.ts";
export { IndexedDbWalletStore, openIndexedDbWalletStore } from "./indexeddb-wallet-store.ts";
