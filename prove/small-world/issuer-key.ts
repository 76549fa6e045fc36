import type { World } from "../../packages/settle/test/world.ts";
import type { Issuer } from "./issuer.ts";

/** Everything about an issuer that can make a difference, in a short text. */
export function issuerKey(issuer: Issuer, world: World): string {
  const { balanceMinor, creditAvailableMinor } = issuer.funds;
  const certificates = issuer.issued.map(({ certificate, settledMinor, releasedMinor }) => {
    const { closing, conflict, revokedAt, payments } = issuer.state(certificate.content.certificateId);
    const known = payments.map(({ paymentId, state, code, claim, takenMinor, sideClaims }) => {
      const beside = sideClaims.map((one) => `${one.terminalId}${one.claimedMinor}${one.state}${one.code}`);
      const own = claim === undefined ? "" : `${claim.terminalId}${claim.claimedMinor}`;
      return `${paymentId.slice(0, 12)}${state}${code ?? ""}${own}:${takenMinor}${beside.toSorted().join("")}`;
    });
    const last = closing === undefined ? "" : `${closing.sequence},${closing.spentMinor}`;
    const proof = conflict === undefined ? "" : `${conflict.first.slice(0, 8)}${conflict.second.slice(0, 8)}`;
    const head = `${certificate.messageId.slice(0, 8)} ${last} ${proof} ${revokedAt ?? ""} ${settledMinor} ${releasedMinor}`;
    return `${head} ${known.toSorted().join(" ")}`;
  });
  const voided = [...world.voidedRequests].map((hash) => hash.slice(0, 8)).toSorted();
  const books = [balanceMinor, creditAvailableMinor, issuer.lossMinor, issuer.clearingMinor, issuer.entries.length];
  return [certificates.join("|"), voided.join(" "), books.join(" "), issuer.broken.join(" ")].join("/");
}
