import { type CryptoPort, publicKeysEqual } from "@cairn/cose";
import type { Partition } from "@cairn/issue";
import {
  type Decoded,
  decodeMessage,
  type MessageId,
  type PayeeCertificate,
  payeeCertificate,
  terminalIdOf,
  type UserCertificate,
} from "@cairn/messages";
import type { IssuerStore } from "@cairn/stores";
import { storedKey } from "../services/callers.ts";

/**
 * What the store says of a payee certificate that is genuinely signed, and not one that this server issued.
 * `enrolled-here`: the key in it is enrolled here for the payee that it names, who may hold a certificate of another
 * issuer. `ceilingMinor`: what this payee is paid without review for a certificate in conflict, here, minor units.
 * `foreign`: it is nobody's whom this issuer knows.
 */
export type OtherPayeeStanding =
  | { readonly kind: "enrolled-here"; readonly ceilingMinor: bigint }
  | { readonly kind: "foreign" };

export type IssuedHereContext = {
  readonly store: Pick<IssuerStore, "certificateMessages" | "payeeCertificate" | "terminal" | "payee">;
  readonly crypto: CryptoPort;
};

const FOREIGN = { kind: "foreign" } as const;
const NONE: ReadonlySet<never> = new Set();

/**
 * Whether certificates are those that this server issued: a signature shows that somebody had an issuer's key, and a
 * thief of the key can copy the id of any certificate that was ever shown. Asked of the store once for each certificate
 * that is remembered as decoded.
 */
export class IssuedHere {
  readonly #issued = new WeakSet<Decoded<UserCertificate> | Decoded<PayeeCertificate>>();

  /**
   * Which of them have the id of a certificate that this server issued and are not that one. An id that was never issued
   * here has no money behind it: the rules say so.
   */
  async forgedAmong(
    certificates: ReadonlySet<Decoded<UserCertificate>>,
    partition: Partition,
    { store }: IssuedHereContext,
  ): Promise<ReadonlySet<Decoded<UserCertificate>>> {
    const asked: Decoded<UserCertificate>[] = [];
    for (const certificate of certificates) if (!this.#issued.has(certificate)) asked.push(certificate);
    if (asked.length === 0) return NONE;
    const ids = new Set(asked.map(({ unverified }) => unverified.certificateId));
    const messages = await store.certificateMessages(partition, [...ids]);
    const forged = new Set<Decoded<UserCertificate>>();
    for (const certificate of asked) {
      const issued: MessageId | undefined = messages.get(certificate.unverified.certificateId);
      if (issued === certificate.messageId) this.#issued.add(certificate);
      else if (issued !== undefined) forged.add(certificate);
    }
    return forged;
  }

  /** Those that this server did not issue, and what else speaks for them. */
  async othersAmong(
    certificates: ReadonlySet<Decoded<PayeeCertificate>>,
    context: IssuedHereContext,
  ): Promise<ReadonlyMap<Decoded<PayeeCertificate>, OtherPayeeStanding>> {
    const asked = [...certificates].filter((certificate) => !this.#issued.has(certificate));
    const others = new Map<Decoded<PayeeCertificate>, OtherPayeeStanding>();
    await Promise.all(
      asked.map(async (certificate) => {
        if (await isIssuedHere(certificate, context)) this.#issued.add(certificate);
        else others.set(certificate, await standingOf(certificate, context));
      }),
    );
    return others;
  }
}

async function isIssuedHere(
  certificate: Decoded<PayeeCertificate>,
  { store, crypto }: IssuedHereContext,
): Promise<boolean> {
  const { payeeId, payeeCertificateId } = certificate.unverified;
  const issued = await store.payeeCertificate(payeeId, payeeCertificateId);
  return issued !== undefined && decodeMessage(payeeCertificate, issued, crypto).messageId === certificate.messageId;
}

async function standingOf(
  { unverified: { payeeId, terminalKey } }: Decoded<PayeeCertificate>,
  { store, crypto }: IssuedHereContext,
): Promise<OtherPayeeStanding> {
  const [terminal, payee] = await Promise.all([
    store.terminal(terminalIdOf(terminalKey, crypto)),
    store.payee(payeeId),
  ]);
  const isEnrolled = terminal?.payeeId === payeeId && publicKeysEqual(storedKey(terminal.publicKey), terminalKey);
  if (!isEnrolled || payee === undefined) return FOREIGN;
  return { kind: "enrolled-here", ceilingMinor: payee.perCertificateCapMinor };
}
