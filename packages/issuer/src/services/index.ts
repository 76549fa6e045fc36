/**
 * The issuer's server without its HTTP skin: what a process composes that runs the real services in a world of its
 * own, as the simulator does. The server itself is composed in start.ts.
 */
export { keepHouse } from "../housekeeping.ts";
export { certificateIdCipher } from "../keys/certificate-id-cipher.ts";
export { type AnnouncedKeys, activeKey, type IssuerKey, type IssuerKeys } from "../keys/issuer-keys.ts";
export { StatusListPublisher } from "../lists/status-list-publisher.ts";
export { type IssuerIdentity, type TrustListFile, TrustListPublisher } from "../lists/trust-list-publisher.ts";
export { Policies } from "../policy/policies.ts";
export { verificationCaches } from "../settlement/context.ts";
export { decodingCaches } from "../settlement/decode-record.ts";
export { SettlementWorker } from "../settlement/worker.ts";
export { Sources } from "../sources/refresh.ts";
export { AttemptLimit } from "./attempt-limit.ts";
export { Backups } from "./backups.ts";
export { reportLoss } from "./device-loss.ts";
export { enrolDevice, enrolTerminal } from "./enrolment.ts";
export { InboxLimit } from "./inbox-limit.ts";
export { withdrawKey } from "./key-withdrawal.ts";
export type { Logger } from "./logger.ts";
export { payOnline, transfer, withdraw } from "./online-money.ts";
export { outcomesFor } from "./outcomes.ts";
export { currentPayeeCertificate } from "./payee-certificates.ts";
export { sweepPayees } from "./payouts/sweep.ts";
export { PushChannel } from "./push-channel.ts";
export { ReceiverCredits } from "./receiver-credits.ts";
export { DEFAULT_RECEIVING, openReceiving } from "./receiving.ts";
export type { ServerContext } from "./server-context.ts";
export { makeNonce } from "./server-nonce.ts";
export { ServiceError } from "./service-error.ts";
export { type SyncResult, syncDevice } from "./syncing.ts";
export { refundFromTill, type TillRefund } from "./till-refunds.ts";
export { receiveUpload, tellOutcomes } from "./uploading.ts";
