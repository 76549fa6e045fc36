export { MemoryIssuerStore } from "./issuer/memory/memory-issuer-store.ts";
export type * from "./issuer/port.ts";
export { SqliteIssuerStore } from "./issuer/sqlite/sqlite-issuer-store.ts";
export { StoreError, type StoreErrorCode } from "./issuer/store-error.ts";
export * from "./terminal/index.ts";
export * from "./wallet/memory-wallet-store.ts";
export * from "./wallet/sqlite-wallet-store.ts";
export * from "./wallet/wallet-file-error.ts";
