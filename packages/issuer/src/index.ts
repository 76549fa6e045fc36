export type * from "./api/device-api.ts";
export type * as operatorApi from "./api/operator-api.ts";
export { ClientError, type ClientErrorCode } from "./client/client-error.ts";
export { type FollowOptions, followEvents } from "./client/follow-events.ts";
export { type EnrolmentInput, IssuerClient, type IssuerClientOptions, type SyncInput } from "./client/issuer-client.ts";
export { type NewPayeeInput, OperatorClient, type OperatorClientOptions } from "./client/operator-client.ts";
export { certificateIdCipher } from "./keys/certificate-id-cipher.ts";
export { type KeyFileCode, KeyFileError } from "./keys/key-file-error.ts";
export { type IssuerOptions, type LogLevel, type OptionsCode, OptionsError, type RunningIssuer } from "./options.ts";
export { type Clock, type Random, systemClock, systemRandom } from "./ports.ts";
export {
  type Sender,
  type VerificationCaches,
  type VerifyRecordsContext,
  verificationCaches,
} from "./settlement/context.ts";
export { RECORD_SENTENCES, type RecordCode } from "./settlement/record-codes.ts";
export { type RejectedRecord, type VerifiedRecords, verifyUploadRecords } from "./settlement/verify-records.ts";
export { HttpAccountSource, HttpCreditSource, type HttpSourceOptions } from "./sources/http-sources.ts";
export type * from "./sources/ports.ts";
export { type SourceCode, SourceError } from "./sources/source-error.ts";
export { startIssuer } from "./start.ts";
export { type RunningWorker, startWorker, type WorkerOptions } from "./start-worker.ts";
