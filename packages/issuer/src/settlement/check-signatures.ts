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
  const byIssuer = { anchors, crypto: gathering(context) };
  const [certificates, payeeCertificates, verified] = await Promise.all([
    caches.certificates.look(certificatesIn(records), (decoded) => verifyUserCertificate(decoded, byIssuer)),
    caches.payeeCertificates.look(payeeCertificatesIn(records), (decoded) => verifyPayeeCertificate(decoded, byIssuer)),
    verifyMessages(asked, async (signatures) => {
      const found = await checker.verify(signatures, bringers);
      for (const [senderId, { number }] of senders)
        if (found.wrongHintsOf.includes(number)) wrongHintsOf.push(senderId);
      return found.areValid;
    }),
  ]);
  for (const senderId of wrongHintsOf) distrusted.set(senderId, true);
  let next = 0;
  const taken = (): unknown => verified[next++];
  const checked = records.map(({ decoded }) => checkedRecord(decoded, { certificates, payeeCertificates, taken }));
  return { checked, wrongHintsOf };
}

type Found = {
  readonly certificates: (decoded: Decoded<UserCertificate>) => Checked<UserCertificate>;
  readonly payeeCertificates: (decoded: Decoded<PayeeCertificate>) => Checked<PayeeCertificate>;
  /** The next of what `ask` asked for, in its order; undefined when its signature is not valid. */
  readonly taken: () => unknown;
};

function checkedRecord(decoded: DecodedRecord, { certificates, payeeCertificates, taken }: Found): CheckedRecord {
  const take = <Content>({ kind }: Decoded<Content>): Checked<Content> =>
    (taken() as Checked<Content> | undefined) ?? refusal("SIGNATURE_INVALID", kind.name);
  const takeIf = <Content>(message: Decoded<Content> | undefined): Checked<Content> | undefined =>
    message === undefined ? undefined : take(message);
  switch (decoded.kind) {
    case "payment":
      return {
        kind: "payment",
        decoded,
        certificate: certificates(decoded.certificate),
        payeeCertificate: payeeCertificates(decoded.payeeCertificate),
        payment: take(decoded.payment),
        receipt: takeIf(decoded.receipt),
        requestVoid: takeIf(decoded.requestVoid),
      };
    case "open-payment": {
      const payee = decoded.payeeCertificate;
      return {
        kind: "open-payment",
        decoded,
        certificate: certificates(decoded.certificate),
        payeeCertificate: payee === undefined ? undefined : payeeCertificates(payee),
        payment: take(decoded.payment),
        word: payee === undefined ? undefined : takeIf(decoded.word?.message),
      };
    }
    case "void":
      return {
        kind: "void",
        decoded,
        payeeCertificate: payeeCertificates(decoded.payeeCertificate),
        requestVoid: take(decoded.requestVoid),
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

function* certificatesIn(records: readonly Sent[]): Iterable<Decoded<UserCertificate>> {
  for (const { decoded } of records) if (decoded.kind !== "void") yield decoded.certificate;
}

function* payeeCertificatesIn(records: readonly Sent[]): Iterable<Decoded<PayeeCertificate>> {
  for (const { decoded } of records) if (decoded.payeeCertificate !== undefined) yield decoded.payeeCertificate;
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
