import { CodedError, type CryptoPort } from "@cairn/cose";
import type { CertificateIdCipher } from "@cairn/issue";
import {
  closing,
  decodeMessage,
  isRefusal,
  refusalFromError,
  restoreVerified,
  userCertificate,
  verifyUnder,
} from "@cairn/messages";
import type { DeviceRecord, IssuerStore } from "@cairn/stores";
import type { StatusListPublisher } from "../lists/status-list-publisher.ts";
import { openedId } from "../settlement/opened-ids.ts";
import { faultOf, type RecordFault, recordFault } from "../settlement/record-codes.ts";

export type ClosingContext = {
  readonly store: IssuerStore;
  readonly crypto: CryptoPort;
  readonly certificateIdCipher: CertificateIdCipher;
  readonly statusLists: Pick<StatusListPublisher, "markChanged">;
};

/**
 * Records a device's last word on one of its account's certificates, so that the decision that follows in the same
 * call counts it. Gives what is wrong with it; a second, different closing is kept as evidence and is no fault.
 */
export async function recordClosing(
  bytes: Uint8Array,
  by: { readonly device: DeviceRecord; readonly closedAt: number },
  { store, crypto, certificateIdCipher, statusLists }: ClosingContext,
): Promise<RecordFault | undefined> {
  const decoded = decodeClosing(bytes, crypto);
  if ("code" in decoded) return decoded;
  const { certificateId } = decoded.unverified;
  const opened = openedId(certificateId, certificateIdCipher);
  if (opened === undefined) return recordFault("CERTIFICATE_NOT_OURS");
  if (opened.account !== by.device.account) return recordFault("RECORD_OF_ANOTHER_ACCOUNT");
  const issued = (await store.certificate(certificateId))?.bytes;
  if (issued === undefined) return recordFault("CERTIFICATE_NOT_OURS");
  const { deviceKey } = restoreVerified(userCertificate, issued, crypto).content;
  const verified = await verifyUnder(decoded, deviceKey, crypto);
  if (isRefusal(verified)) return faultOf(verified);
  const { sequence, spentMinor } = verified.content;
  const { messageId } = verified;
  await store.recordClosing(certificateId, { sequence, spentMinor, messageId, bytes, closedAt: by.closedAt });
  // A closing that contradicts what is known proves a conflict, and the store withdraws the certificate.
  if ((await store.certificate(certificateId))?.revokedAt !== undefined) statusLists.markChanged();
  return undefined;
}

function decodeClosing(bytes: Uint8Array, crypto: CryptoPort) {
  try {
    return decodeMessage(closing, bytes, crypto);
  } catch (error) {
    if (error instanceof CodedError) return faultOf(refusalFromError(error));
    throw error;
  }
}
