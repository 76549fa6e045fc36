export type { SettlementContext } from "./batch.ts";
export { type OutcomeCode, outcomeSentence, SETTLEMENT_SENTENCES, type SettlementCode } from "./codes.ts";
export { type ClosingJudgement, judgeClosing } from "./conflict.ts";
export { settlementReference } from "./funding.ts";
export * from "./model.ts";
export * from "./online-money.ts";
export { settle } from "./settle.ts";
export { SettleError, type SettleErrorCode } from "./settle-error.ts";
export { topUpEntry, topUpReference } from "./top-up.ts";
