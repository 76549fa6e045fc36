import type { IssuanceDecision } from "@cairn/issue";
import { type CertificateId, IDENTIFIER_BYTES, identifierFromText } from "@cairn/messages";
import type { SyncAnswer, UploadAnswer } from "../api/device-api.ts";
import { base64url, type Encoded } from "../api/wire.ts";
import type { RecordReply, SyncResult } from "../services/syncing.ts";

type Lists = Pick<Encoded<typeof SyncAnswer>, "trustList" | "statusList">;

/** The answer to a sync, which is also what an event of the push channel carries. */
export function syncAnswerText(result: SyncResult, lists: Lists): Encoded<typeof SyncAnswer> {
  const { account, certificate } = result;
  return {
    ...lists,
    account: {
      currency: account.currency,
      balanceMinor: account.balanceMinor.toString(),
      creditLineMinor: account.credit.lineMinor.toString(),
      creditUsedMinor: account.credit.usedMinor.toString(),
      status: account.status,
    },
    decision: decisionText(result.decision),
    certificateId: certificate?.certificateId ?? null,
    certificate: certificate === undefined ? null : base64url(certificate.bytes),
    records: result.records.map(recordText),
    payments: [...result.payments],
  };
}

export function recordText(
  { paymentId, fault }: RecordReply,
  index: number,
): Encoded<typeof UploadAnswer>["records"][number] {
  const about = { index, paymentId: paymentId ?? null };
  if (fault === undefined) return { ...about, state: "received", code: null, sentence: null };
  return { ...about, state: "refused", code: fault.code, sentence: fault.sentence };
}

function decisionText(decision: IssuanceDecision): Encoded<typeof SyncAnswer>["decision"] {
  if (decision.kind === "none") return { kind: "none", reasons: [], lines: [] };
  const lines = decision.computation.lines.map(({ label, minor, note }) => ({ label, minor: minor.toString(), note }));
  return { kind: decision.kind, reasons: decision.reasons.map(({ code, sentence }) => ({ code, sentence })), lines };
}

/** Which certificates a wallet says it has; what is no id is passed over. */
export function holdsOf(text: string | undefined): readonly CertificateId[] {
  const ids = text === undefined ? [] : text.split(",");
  return ids
    .map((id) => identifierFromText<CertificateId>(id, IDENTIFIER_BYTES.certificateId))
    .filter((id) => id !== undefined);
}
