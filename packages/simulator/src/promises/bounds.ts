import type { CertificateRecord, IssuerStore } from "@cairn/stores";
import type { MadePayment, Truth } from "./truth.ts";

type Bounds = { readonly boundMinor: bigint; readonly ceilingsMinor: bigint };

/** What the promises allow one certificate to cost: the limit for each terminal deceived but one, and its payees' ceilings. */
export async function boundsOf(
  { certificateId, account, limitMinor }: CertificateRecord,
  store: IssuerStore,
  truth: Truth,
): Promise<Bounds> {
  // What a false closing lets through is bounded by policy: one more limit for each certificate.
  const free = truth.falselyClosed.has(account) ? 0 : 1;
  const settled = (await store.outcomesOfCertificate(certificateId)).filter(({ state }) => state === "settled");
  const deceived = new Set(settled.map(({ terminalId }) => terminalId)).size;
  let ceilingsMinor = 0n;
  for (const payeeId of new Set(settled.map((outcome) => outcome.payeeId))) {
    const payee = payeeId === undefined ? undefined : await store.payee(payeeId);
    ceilingsMinor += payee?.perCertificateCapMinor ?? 0n;
  }
  return { boundMinor: BigInt(Math.max(0, deceived - free)) * limitMinor, ceilingsMinor };
}

/** Whether one honest device can have made both: said here once more, so that a fault in the rule's own code shows. */
export const isOneChain = (left: MadePayment, right: MadePayment): boolean => {
  const [earlier, later] = left.sequence < right.sequence ? [left, right] : [right, left];
  return earlier.sequence < later.sequence && earlier.spentMinor + later.amountMinor <= later.spentMinor;
};
