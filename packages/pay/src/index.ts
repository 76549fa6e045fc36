export { acceptReceipt, type ReceiptAccepted } from "./accept-receipt.ts";
export { acceptVoid, type VoidAccepted } from "./accept-void.ts";
export { applySyncAnswer, type SyncAnswer, type SyncApplied } from "./apply-sync-answer.ts";
export { buildSync, type SyncBatch, type SyncEntry, type SyncWish } from "./build-sync.ts";
export { type CertificateWanted, chooseCertificate, roomOf } from "./choose-certificate.ts";
export { PAY_SENTENCES, type PayCode, PayError, type PayErrorCode, type PayRefusal, type Refused } from "./codes.ts";
export {
  type ClosingDecision,
  type ClosingPolicy,
  type ClosingReason,
  DEFAULT_CLOSING_POLICY,
  decideClosing,
} from "./decide-closing.ts";
export {
  decideOpenPayment,
  type OpenPaymentDecision,
  type OpenPaymentView,
  type OpenPaymentWanted,
} from "./decide-open-payment.ts";
export {
  type Consent,
  decidePayment,
  type PaymentDecision,
  type PaymentView,
  type PaymentWanted,
} from "./decide-payment.ts";
export { acceptEnrolment, type Enrolled, type EnrolmentAnswer } from "./enrol.ts";
export {
  type HistoryEntry,
  type Holding,
  type HoldingState,
  history,
  type PaymentState,
  type WalletStatus,
  walletStatus,
} from "./history.ts";
export { applyOutcomes, mergeOutcome, type OfferedOutcome } from "./outcomes.ts";
export { type Paid, pay } from "./pay.ts";
export { DEFAULT_OPEN_PAYMENT_VALIDITY_SECONDS, type OpenPaymentInput, type PaidOpen, payOpen } from "./pay-open.ts";
export type { CodeInput } from "./payee-code.ts";
export { type Clock, honestNow, type WalletPorts } from "./ports.ts";
export { consentTo, type RequestReview, reviewRequest } from "./review-request.ts";
export { type ShownPayment, showAgain } from "./show-payment.ts";
export { refuseWrite, type WalletStoreCode, WalletStoreError, type WriteFacts } from "./store-rules.ts";
export type { Counter, HeldCertificate } from "./wallet.ts";
export type * from "./wallet-store.ts";
