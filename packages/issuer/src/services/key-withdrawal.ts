import { decodeMessage, type KeyId, userCertificate } from "@cairn/messages";
import type { CertificateRecord } from "@cairn/stores";
import type { ServerContext } from "./server-context.ts";
import { ServiceError } from "./service-error.ts";

/**
 * Withdraws a compromised key, and with it every certificate that it signed and that could still be used: no terminal
 * will take one, so its device is to get another at its next sync. What was paid with them before still settles.
 * Gives how many certificates were withdrawn. @throws ServiceError KEY_UNKNOWN
 */
export async function withdrawKey(keyId: KeyId, context: ServerContext): Promise<number> {
  const { keys, store, clock, trustLists, statusLists, log } = context;
  const now = clock.nowSeconds();
  if ((await keys.withdraw(keyId, now)) === "unknown-key") throw new ServiceError("KEY_UNKNOWN");
  await trustLists.refresh(now);
  let withdrawn = 0;
  for (const { account } of await store.accounts()) {
    for (const certificate of await store.certificatesOf(account)) {
      if (certificate.revokedAt !== undefined || certificate.expiresAt < now) continue;
      if (signedBy(certificate, context) !== keyId) continue;
      await store.revokeCertificate(certificate.certificateId, now, "issuer key withdrawn");
      withdrawn++;
    }
  }
  statusLists.markChanged();
  log.warn({ keyId, certificates: withdrawn }, "issuer key withdrawn, and the certificates that it signed");
  return withdrawn;
}

/** One that was never signed is no danger: signing it now would need the withdrawn key, which signs no more. */
function signedBy({ bytes }: CertificateRecord, { crypto }: ServerContext): KeyId | undefined {
  return bytes === undefined ? undefined : decodeMessage(userCertificate, bytes, crypto).unverified.issuerKeyId;
}
