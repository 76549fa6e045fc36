export type * from "./api/device-api.ts";
export type * as operatorApi from "./api/operator-api.ts";
export { ClientError, type ClientErrorCode } from "./client/client-error.ts";
export { type EnrolmentInput, IssuerClient, type IssuerClientOptions, type SyncInput } from "./client/issuer-client.ts";
export { type NewPayeeInput, OperatorClient, type OperatorClientOptions } from "./client/operator-client.ts";
export type { IssuerOptions, LogLevel, RunningIssuer } from "./options.ts";
export { type Clock, type Random, systemClock, systemRandom } from "./ports.ts";
export { startIssuer } from "./start.ts";
