export type * from "./issuer/port.ts";
