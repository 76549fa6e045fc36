export { accountNumber } from "./account-number.ts";
export {
  type CertificateIdCipher,
  type OpenedCertificateId,
  openCertificateId,
  partitionOf,
  sealCertificateId,
} from "./certificate-id.ts";
export {
  allConditions,
  CONDITION_SENTENCES,
  type Condition,
  type ConditionCode,
  type ConditionState,
  type ConditionsInput,
  conditionsHolding,
} from "./conditions.ts";
export { afterRepayment, duesAfterStatement, overdueOf } from "./credit-dues.ts";
export {
  decideIssuance,
  explainIssuance,
  type IssuanceDecision,
  type IssuanceExplanation,
  type IssuanceTerms,
} from "./decide.ts";
export { type ExposurePolicy, exposureOf, holdOf, openExposure, openHold } from "./exposure.ts";
export { IssueError, type IssueErrorCode } from "./issue-error.ts";
export { allowanceOf, computeLimit, LIMIT_LINE_LABELS, type LimitComputation, type LimitLine } from "./limit.ts";
export * from "./model.ts";
export { DEFAULT_POLICY, HOLD_PARTS, type HoldPart, type IssuingPolicy, type ProtectionPolicy } from "./policy.ts";
export { PolicyError, type PolicyErrorCode } from "./policy-error.ts";
export { type CheckedPolicy, checkPolicy, policyText, readKeptPolicy, readPolicy } from "./policy-reader.ts";
export { prepareCertificate } from "./prepare.ts";
export { type IssuingRefusal, type IssuingRefusalCode, issuingRefusals, REFUSALS_IN_ORDER } from "./refusals.ts";
