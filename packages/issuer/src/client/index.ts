/** The devices' HTTP client alone: runs in browsers too, where the rest of this package does not. */
export type {
  DeviceEnrolment,
  OutcomesAnswer,
  PaymentOutcome,
  PortionAnswer,
  Problem,
  SyncAnswer,
  TerminalEnrolment,
  TillRefundAnswer,
  UploadAnswer,
  UploadEnd,
} from "../api/device-api.ts";
export { ClientError, type ClientErrorCode } from "./client-error.ts";
export { type EventsInput, issuerEvents } from "./events.ts";
export { type FollowOptions, followEvents } from "./follow-events.ts";
export {
  type EnrolmentInput,
  IssuerClient,
  type IssuerClientOptions,
  type SyncInput,
  type TillRefundOrder,
} from "./issuer-client.ts";
export { fewerRecords, moreRecords } from "./portion-size.ts";
export { type StreamedUploadOptions, streamUpload } from "./stream-upload.ts";
