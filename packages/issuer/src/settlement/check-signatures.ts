import type { CryptoPort, P256PublicKey, SignatureToVerify } from "@cairn/cose";
import {
  type Capture,
  type Decoded,
  type OpenPayment,
  type PayeeCertificate,
  type Payment,
  type Receipt,
  type RequestVoid,
  refusal,
  type UserCertificate,
  verifyMessages,
  verifyPayeeCertificate,
  verifyUserCertificate,
} from "@cairn/messages";
import type { VerifyRecordsContext } from "./context.ts";
import type { DecodedOpen, DecodedRecord, DecodedTwoWay, DecodedVoid } from "./decode-record.ts";
import type { Checked } from "./verified-cache.ts";
import type { UploadedRecord } from "./verify-records.ts";

/**
 * A record whose signatures were looked at, each under the key that its place in the record demands: the certificates'
 * under an issuer's, the payment's under the device key that the record's user certificate names, the payee's
 * statements under the terminal key that its payee certificate names. A part counts only when the certificate that
 * names its key was verified too.
 */
export type CheckedRecord = CheckedTwoWay | CheckedOpen | CheckedVoid;
export type CheckedTwoWay = {
  readonly kind: "payment";
  readonly decoded: DecodedTwoWay;
  readonly certificate: Checked<UserCertificate>;
  readonly payment: Checked<Payment>;
  readonly payeeCertificate: Checked<PayeeCertificate>;
  readonly receipt: Checked<Receipt> | undefined;
  readonly requestVoid: Checked<RequestVoid> | undefined;
};
export type CheckedOpen = {
  readonly kind: "open-payment";
  readonly decoded: DecodedOpen;
  readonly certificate: Checked<UserCertificate>;
  readonly payment: Checked<OpenPayment>;
  readonly payeeCertificate: Checked<PayeeCertificate> | undefined;
  readonly word: Checked<Capture> | undefined;
};
export type CheckedVoid = {
  readonly kind: "void";
  readonly decoded: DecodedVoid;
  readonly payeeCertificate: Checked<PayeeCertificate>;
  readonly requestVoid: Checked<RequestVoid>;
};

type Asked = { readonly decoded: Decoded<unknown>; readonly key: P256PublicKey; readonly hint: Uint8Array | undefined };
/** Who brought hints, and whether they are used. */
type Bringer = { readonly number: number; readonly isTrusted: boolean };
type Sent = { readonly senderId: UploadedRecord["senderId"]; readonly decoded: DecodedRecord };

/** Looks at all signatures of some records at once; certificates once for all of them. In the order of the records. */
export async function checkSignatures(
  records: readonly Sent[],
  context: Pick<VerifyRecordsContext, "anchors" | "crypto" | "checker" | "caches">,
): Promise<{ readonly checked: readonly CheckedRecord[]; readonly wrongHintsOf: readonly Sent["senderId"][] }> {
  const { anchors, caches, checker } = context;
  const { distrusted } = caches;
  const asked: Asked[] = [];
  const senders = new Map<Sent["senderId"], Bringer>();
  const bringers: number[] = [];
  for (const { decoded, senderId } of records) {
    let bringer = senders.get(senderId);
    if (bringer === undefined) {
      const isTrusted = checker.takesHints && distrusted.get(senderId) === undefined;
      bringer = { number: senders.size, isTrusted };
      senders.set(senderId, bringer);
    }
    ask(decoded, bringer.isTrusted, asked);
    while (bringers.length < asked.length) bringers.push(bringer.number);
  }
  const wrongHintsOf: Sent["senderId"][] = [];
  const certificatesIn: Decoded<UserCertificate>[] = [];
  const payeeCertificatesIn: Decoded<PayeeCertificate>[] = [];
  for (const { decoded } of records) {
    if (decoded.kind !== "void") certificatesIn.push(decoded.certificate);
    if (decoded.payeeCertificate !== undefined) payeeCertificatesIn.push(decoded.payeeCertificate);
  }
  const byIssuer = { anchors, crypto: gathering(context) };
  const [certificates, payeeCertificates, signed] = await Promise.all([
    caches.certificates.look(certificatesIn, (decoded) => verifyUserCertificate(decoded, byIssuer)),
    caches.payeeCertificates.look(payeeCertificatesIn, (decoded) => verifyPayeeCertificate(decoded, byIssuer)),
    verifyMessages(asked, async (signatures) => {
      const found = await checker.verify(signatures, bringers);
      for (const [senderId, { number }] of senders)
        if (found.wrongHintsOf.includes(number)) wrongHintsOf.push(senderId);
      return found.areValid;
    }),
  ]);
  for (const senderId of wrongHintsOf) distrusted.set(senderId, true);
  const found = new Found({ certificates, payeeCertificates, signed });
  const checked = records.map(({ decoded }) => checkedRecord(decoded, found));
  return { checked, wrongHintsOf };
}

/** What was looked at, given out in the order in which it was asked for. */
class Found {
  readonly #certificates: readonly Checked<UserCertificate>[];
  readonly #payeeCertificates: readonly Checked<PayeeCertificate>[];
  /** What `ask` asked for, in its order; undefined when its signature is not valid. */
  readonly #signed: readonly unknown[];
  #nextCertificate = 0;
  #nextPayeeCertificate = 0;
  #nextSigned = 0;

  constructor(found: {
    readonly certificates: readonly Checked<UserCertificate>[];
    readonly payeeCertificates: readonly Checked<PayeeCertificate>[];
    readonly signed: readonly unknown[];
  }) {
    this.#certificates = found.certificates;
    this.#payeeCertificates = found.payeeCertificates;
    this.#signed = found.signed;
  }

  certificate(): Checked<UserCertificate> {
    return this.#certificates[this.#nextCertificate++] as Checked<UserCertificate>;
  }

  payeeCertificate(): Checked<PayeeCertificate> {
    return this.#payeeCertificates[this.#nextPayeeCertificate++] as Checked<PayeeCertificate>;
  }

  signed<Content>({ kind }: Decoded<Content>): Checked<Content> {
    const verified = this.#signed[this.#nextSigned++] as Checked<Content> | undefined;
    return verified ?? refusal("SIGNATURE_INVALID", kind.name);
  }
}

/** Asks for the parts in the order of `ask`. */
function checkedRecord(decoded: DecodedRecord, found: Found): CheckedRecord {
  switch (decoded.kind) {
    case "payment":
      return {
        kind: "payment",
        decoded,
        certificate: found.certificate(),
        payeeCertificate: found.payeeCertificate(),
        payment: found.signed(decoded.payment),
        receipt: decoded.receipt && found.signed(decoded.receipt),
        requestVoid: decoded.requestVoid && found.signed(decoded.requestVoid),
      };
    case "open-payment": {
      const hasPayee = decoded.payeeCertificate !== undefined;
      return {
        kind: "open-payment",
        decoded,
        certificate: found.certificate(),
        payeeCertificate: hasPayee ? found.payeeCertificate() : undefined,
        payment: found.signed(decoded.payment),
        word: hasPayee && decoded.word !== undefined ? found.signed(decoded.word.message) : undefined,
      };
    }
    case "void":
      return {
        kind: "void",
        decoded,
        payeeCertificate: found.payeeCertificate(),
        requestVoid: found.signed(decoded.requestVoid),
      };
  }
}

/** Adds what is signed in a record beside its certificates, and under which of their keys. */
function ask(record: DecodedRecord, withHints: boolean, asked: Asked[]): void {
  if (record.kind !== "void") {
    const key = record.certificate.unverified.deviceKey;
    const hint = withHints ? record.hint : undefined;
    asked.push({ decoded: record.payment as Decoded<unknown>, key, hint });
  }
  const key = record.payeeCertificate?.unverified.terminalKey;
  if (key === undefined) return;
  if (record.kind === "payment" && record.receipt !== undefined)
    asked.push({ decoded: record.receipt as Decoded<unknown>, key, hint: undefined });
  const last = record.kind === "open-payment" ? record.word?.message : record.requestVoid;
  if (last !== undefined) asked.push({ decoded: last as Decoded<unknown>, key, hint: undefined });
}

/** Signatures that are asked for one by one in the same turn are verified together. */
export function gathering({ crypto, checker }: Pick<VerifyRecordsContext, "crypto" | "checker">): CryptoPort {
  let gathered: SignatureToVerify[] = [];
  let found: Promise<readonly boolean[]> | undefined;
  return {
    ...crypto,
    verifyEs256: async (publicKey, message, signature) => {
      const position = gathered.push({ publicKey, message, signature }) - 1;
      found ??= Promise.resolve().then(async () => {
        const asked = gathered;
        gathered = [];
        found = undefined;
        return (await checker.verify(asked, [])).areValid;
      });
      return (await found)[position] === true;
    },
  };
}
