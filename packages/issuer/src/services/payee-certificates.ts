import type { CryptoPort } from "@cairn/cose";
import {
  IDENTIFIER_BYTES,
  identifier,
  type PayeeCertificate,
  type PayeeCertificateId,
  payeeCertificate,
  restoreVerified,
  signMessage,
} from "@cairn/messages";
import type { IssuerStore, PayeeRecord, TerminalRecord } from "@cairn/stores";
import type { IssuerKeys } from "../keys/issuer-keys.ts";
import type { Clock, Random } from "../ports.ts";
import { storedKey } from "./callers.ts";
import { ServiceError } from "./service-error.ts";

const DAY_SECONDS = 86_400;
/** A till that is online once a month keeps selling. */
const VALIDITY_SECONDS = 90 * DAY_SECONDS;
/** Renewed well before the end: a certificate taken home today lasts at least this long. */
const RENEW_BELOW_SECONDS = 60 * DAY_SECONDS;

export type PayeeCertificatesContext = {
  readonly store: IssuerStore;
  readonly keys: IssuerKeys;
  readonly crypto: CryptoPort;
  readonly clock: Clock;
  readonly random: Random;
};

/**
 * The terminal's certificate, renewed when it is near its end or the payee's terms have changed since. The terminal is
 * looked at anew: an upload takes its time, and whoever was blocked meanwhile takes nothing home.
 * @throws ServiceError CALLER_FROZEN, PAYEE_UNKNOWN
 */
export async function currentPayeeCertificate(
  { terminalId }: Pick<TerminalRecord, "terminalId">,
  context: PayeeCertificatesContext,
): Promise<{ readonly bytes: Uint8Array; readonly payee: PayeeRecord }> {
  const terminal = await context.store.terminal(terminalId);
  if (terminal === undefined) throw new Error("A caller that is no terminal.");
  if (terminal.status === "frozen") throw new ServiceError("CALLER_FROZEN");
  const payee = await context.store.payee(terminal.payeeId);
  if (payee === undefined) throw new ServiceError("PAYEE_UNKNOWN");
  const held = terminal.payeeCertificate;
  if (held !== undefined && isCurrent(restoreVerified(payeeCertificate, held, context.crypto).content, payee, context))
    return { bytes: held, payee };
  return { bytes: await issuePayeeCertificate(terminal, payee, context), payee };
}

function isCurrent(held: PayeeCertificate, payee: PayeeRecord, { clock, keys }: PayeeCertificatesContext): boolean {
  if (keys.byId(held.issuerKeyId)?.withdrawnAt !== undefined) return false;
  if (held.expiresAt - clock.nowSeconds() < RENEW_BELOW_SECONDS) return false;
  const terms = termsOf(payee);
  return (
    held.terms.name === terms.name &&
    held.terms.perPaymentCapMinor === terms.perPaymentCapMinor &&
    held.terms.storedTotalCapMinor === terms.storedTotalCapMinor &&
    held.terms.perCertificateCapMinor === terms.perCertificateCapMinor &&
    held.terms.maximumOfflineSeconds === terms.maximumOfflineSeconds
  );
}

async function issuePayeeCertificate(
  terminal: TerminalRecord,
  payee: PayeeRecord,
  { store, keys, crypto, clock, random }: PayeeCertificatesContext,
): Promise<Uint8Array> {
  const issuedAt = clock.nowSeconds();
  const { keyId, signer } = keys.active(issuedAt);
  const length = IDENTIFIER_BYTES.payeeCertificateId;
  const content: PayeeCertificate = {
    issuerKeyId: keyId,
    payeeCertificateId: identifier<PayeeCertificateId>(random.bytes(length), length),
    payeeId: payee.payeeId,
    terminalKey: storedKey(terminal.publicKey),
    issuedAt,
    expiresAt: issuedAt + VALIDITY_SECONDS,
    terms: termsOf(payee),
  };
  const { bytes } = await signMessage(payeeCertificate, content, { signer, crypto });
  const { payeeCertificateId, expiresAt } = content;
  await store.recordPayeeCertificate({
    payeeCertificateId,
    terminalId: terminal.terminalId,
    bytes,
    issuedAt,
    expiresAt,
  });
  return bytes;
}

function termsOf(payee: PayeeRecord): PayeeCertificate["terms"] {
  const { name, currency, perPaymentCapMinor, storedTotalCapMinor, perCertificateCapMinor, maximumOfflineSeconds } =
    payee;
  return { name, currency, perPaymentCapMinor, storedTotalCapMinor, perCertificateCapMinor, maximumOfflineSeconds };
}
