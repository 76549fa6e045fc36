import { CodedError, type CryptoPort, type P256PublicKey } from "@cairn/cose";
import {
  type Decoded,
  decodeMessage,
  isRefusal,
  type KeyId,
  type TrustAnchors,
  type UserCertificate,
  userCertificate,
  verifyUnder,
  verifyUserCertificate,
} from "@cairn/messages";
import type { InboxRecord } from "@cairn/stores";
import { type CheckedRecord, checkSignatures, gathering } from "../settlement/check-signatures.ts";
import { type SignatureChecker, verificationCaches } from "../settlement/context.ts";
import type { DecodedRecord } from "../settlement/decode-record.ts";

export type KeysForAudit = {
  /** The issuer's keys, old ones included, and of other issuers those that certify payees. */
  readonly anchors: TrustAnchors;
  /** Best on threads: it is nearly all of the work. */
  readonly checker: SignatureChecker;
};

/** Looks at the signatures of what was kept, page by page, and counts those that are valid. */
export class SignatureAudit {
  readonly #anchors: TrustAnchors;
  readonly #crypto: CryptoPort;
  readonly #caches = verificationCaches();
  readonly #checker: SignatureChecker;
  #verified = 0;

  constructor({ anchors, checker }: KeysForAudit, crypto: CryptoPort) {
    this.#anchors = anchors;
    this.#crypto = crypto;
    this.#checker = {
      takesHints: checker.takesHints,
      verify: async (signatures, bringers) => {
        const found = await checker.verify(signatures, bringers);
        this.#verified += found.areValid.filter(Boolean).length;
        return found;
      },
    };
  }

  /** The key when no list that was given names it: then nothing can be said of what it signed. */
  unknownKey({ unverified: { issuerKeyId } }: Decoded<{ readonly issuerKeyId: KeyId }>): KeyId | undefined {
    return this.#anchors.keysById.has(issuerKeyId) ? undefined : issuerKeyId;
  }

  /** Signatures that were found valid so far; certificates that come with many payments count once while remembered. */
  get verified(): number {
    return this.#verified;
  }

  /** In the order of the records. */
  async check(
    records: readonly { readonly senderId: InboxRecord["senderId"]; readonly decoded: DecodedRecord }[],
  ): Promise<readonly CheckedRecord[]> {
    if (records.length === 0) return [];
    const context = { anchors: this.#anchors, crypto: this.#crypto, checker: this.#checker, caches: this.#caches };
    return (await checkSignatures(records, context)).checked;
  }

  /** Of each whether the issuer signed it. */
  areIssued(certificates: readonly Decoded<UserCertificate>[]): Promise<readonly boolean[]> {
    const context = { anchors: this.#anchors, crypto: this.#gathering() };
    return Promise.all(
      certificates.map(async (certificate) => !isRefusal(await verifyUserCertificate(certificate, context))),
    );
  }

  /** Of each whether it was signed by the device that its certificate names. Whether the issuer signed that is asked apart. */
  areSignedByDevice(
    messages: readonly { readonly message: Decoded<unknown>; readonly certificate: Uint8Array }[],
  ): Promise<readonly boolean[]> {
    const crypto = this.#gathering();
    return Promise.all(
      messages.map(async ({ message, certificate }) => {
        const key = this.#deviceKeyIn(certificate);
        return key !== undefined && !isRefusal(await verifyUnder(message, key, crypto));
      }),
    );
  }

  #deviceKeyIn(certificate: Uint8Array): P256PublicKey | undefined {
    try {
      return decodeMessage(userCertificate, certificate, this.#crypto).unverified.deviceKey;
    } catch (error) {
      if (error instanceof CodedError) return undefined;
      throw error;
    }
  }

  #gathering(): CryptoPort {
    return gathering({ crypto: this.#crypto, checker: this.#checker });
  }
}
