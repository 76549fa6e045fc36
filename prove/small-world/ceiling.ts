import { areCompatible } from "@cairn/messages";
import type { CertificateState } from "@cairn/settle";
import { CEILING_MINOR } from "./cast.ts";

/** What contradicts something credited is paid only while its payee has no more of the certificate than the ceiling. */
export function ceilingBroken(before: readonly CertificateState[], after: readonly CertificateState[]): string[] {
  return after.flatMap(({ certificateId, payments }) => {
    const settled = payments.filter(({ state }) => state === "settled");
    const credited = before.find((one) => one.certificateId === certificateId)?.payments ?? [];
    const earlier = credited.filter(({ state }) => state === "settled");
    const [added] = settled.filter(({ paymentId }) => earlier.every((one) => one.paymentId !== paymentId));
    if (added === undefined || earlier.every((one) => areCompatible(one, added))) return [];
    const creditedMinor = settled
      .filter(({ claim }) => claim?.payeeId === added.claim?.payeeId)
      .reduce((sum, { takenMinor }) => sum + takenMinor, 0n);
    return creditedMinor <= CEILING_MINOR ? [] : [`5: a payee has ${creditedMinor}, above its ceiling`];
  });
}
