export type * from "./issuer/port.ts";
export * from "./terminal/index.ts";
export * from "./wallet/memory-wallet-store.ts";
export * from "./wallet/sqlite-wallet-store.ts";
export * from "./wallet/wallet-file-error.ts";
