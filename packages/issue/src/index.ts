export { accountNumber } from "./account-number.ts";
export {
  type CertificateIdCipher,
  type OpenedCertificateId,
  openCertificateId,
  partitionOf,
  sealCertificateId,
} from "./certificate-id.ts";
export {
  CONDITION_SENTENCES,
  type Condition,
  type ConditionCode,
  type ConditionsInput,
  conditionsHolding,
} from "./conditions.ts";
export { decideIssuance, type IssuanceDecision, type IssuanceTerms } from "./decide.ts";
export { exposureOf, openExposure } from "./exposure.ts";
export { IssueError, type IssueErrorCode } from "./issue-error.ts";
export { allowanceOf, computeLimit, LIMIT_LINE_LABELS, type LimitComputation, type LimitLine } from "./limit.ts";
export * from "./model.ts";
export { DEFAULT_POLICY, type IssuingPolicy, type ProtectionPolicy } from "./policy.ts";
export { PolicyError, type PolicyErrorCode, readPolicy } from "./policy-reader.ts";
export { prepareCertificate } from "./prepare.ts";
export { type IssuingRefusal, type IssuingRefusalCode, issuingRefusals, REFUSALS_IN_ORDER } from "./refusals.ts";
