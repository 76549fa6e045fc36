import {
  type CborMap,
  type CborValue,
  decodeCbor,
  decodeSign1,
  encodeCbor,
  finishSign1,
  prepareSign1,
  publicKeyToCbor,
  type Signer,
} from "@cairn/cose";
import { nodeCrypto } from "@cairn/cose/node";
import * as messages from "@cairn/messages";
import {
  type Capture,
  type CertificateId,
  type ChainHash,
  type Closing,
  type ContentHash,
  chainHashOf,
  currency,
  type IssuerId,
  KEY_USE,
  keyIdOf,
  type MessageId,
  type MessageKind,
  type OpenPayment,
  type PayeeCertificate,
  type PayeeCertificateId,
  type PayeeId,
  type Payment,
  type PaymentRequest,
  type Receipt,
  type RequestNonce,
  type RequestVoid,
  requestHashOf,
  type ServerNonce,
  type SignedCall,
  type StatusList,
  signMessage,
  statusBits,
  type TrustList,
  type UserCertificate,
  type Verified,
} from "@cairn/messages";
import { testKey } from "./keys.ts";

/** One small world: what every case starts from, all at the time NOW. */
export const crypto = nodeCrypto();
export const NOW = 1_800_000_000;
export const DAY = 86_400;
export const EUR = currency("EUR");

export const root = testKey("root");
export const issuer = testKey("issuer");
export const device = testKey("device");
export const terminal = testKey("terminal");

/** Identifiers of a fixed pattern: the first byte says what they are. */
export const id = <Id extends messages.HexIdentifier>(lead: number, length: number): Id =>
  messages.identifier<Id>(
    Uint8Array.from({ length }, (_, at) => (at === 0 ? lead : at)),
    length,
  );

type Changes<Content> = Partial<Omit<Content, "terms">> &
  (Content extends { terms: infer Terms } ? { terms?: Partial<Terms> } : unknown);

function change<Content extends object>(content: Content, changes: Changes<Content>): Content {
  const { terms, ...rest } = { terms: undefined, ...changes };
  const changed = { ...content, ...rest };
  return "terms" in content && terms !== undefined
    ? { ...changed, terms: { ...(content.terms as object), ...(terms as object) } }
    : changed;
}

const signer =
  <Content extends object>(kind: MessageKind<Content>, base: () => Content, own: Signer) =>
  (changes: Changes<Content> = {} as Changes<Content>, by: Signer = own): Promise<Verified<Content>> =>
    signMessage(kind, change(base(), changes), { signer: by, crypto });

export const trustedKey = (name: Parameters<typeof testKey>[0], changes: Partial<messages.TrustedKey> = {}) => ({
  issuerId: "harbour-bank" as IssuerId,
  issuerName: "Harbour Bank",
  issuerUrl: "https://pay.harbour.example",
  key: testKey(name).publicKey,
  validFrom: NOW - 100 * DAY,
  validUntil: NOW + 300 * DAY,
  uses: KEY_USE.userCertificates | KEY_USE.payeeCertificates | KEY_USE.statusLists,
  ...changes,
});

export const signTrustList = signer<TrustList>(
  messages.trustList,
  () => ({
    rootKeyId: keyIdOf(root.publicKey, crypto),
    issuedAt: NOW - DAY,
    expiresAt: NOW + 30 * DAY,
    version: 7,
    keys: [trustedKey("issuer")],
  }),
  root,
);

export const signStatusList = signer<StatusList>(
  messages.statusList,
  () => ({
    issuerKeyId: keyIdOf(issuer.publicKey, crypto),
    uri: "https://pay.harbour.example/v1/status-list",
    issuedAt: NOW - 3_600,
    expiresAt: NOW + 7 * DAY,
    timeToLiveSeconds: 43_200,
    bits: statusBits({ size: 64, revoked: [5, 42] }),
  }),
  issuer,
);

export const signUser = signer<UserCertificate>(
  messages.userCertificate,
  () => ({
    issuerKeyId: keyIdOf(issuer.publicKey, crypto),
    certificateId: id<CertificateId>(0xc1, 16),
    deviceKey: device.publicKey,
    issuedAt: NOW - DAY,
    expiresAt: NOW + 6 * DAY,
    terms: { currency: EUR, limitMinor: 20_000n, perPaymentCapMinor: 5_000n, protection: 2, statusIndex: 7 },
  }),
  issuer,
);

export const signPayee = signer<PayeeCertificate>(
  messages.payeeCertificate,
  () => ({
    issuerKeyId: keyIdOf(issuer.publicKey, crypto),
    payeeCertificateId: id<PayeeCertificateId>(0xe1, 8),
    payeeId: "KIOSK-3" as PayeeId,
    terminalKey: terminal.publicKey,
    issuedAt: NOW - 10 * DAY,
    expiresAt: NOW + 80 * DAY,
    terms: {
      name: "Harbour Kiosk 3",
      currency: EUR,
      perPaymentCapMinor: 10_000n,
      storedTotalCapMinor: 50_000n,
      perCertificateCapMinor: 10_000n,
      maximumOfflineSeconds: 7 * DAY,
    },
  }),
  issuer,
);

export const signRequest = signer<PaymentRequest>(
  messages.paymentRequest,
  () => ({
    payeeCertificateId: id<PayeeCertificateId>(0xe1, 8),
    amountMinor: 1_337n,
    currency: EUR,
    nonce: id<RequestNonce>(0xa1, 8),
    issuedAt: NOW - 20,
    expiresAt: NOW + 280,
    orderReference: "A-1042",
  }),
  terminal,
);

/** The certificate and request that payments refer to unless told otherwise. */
export const certificate = await signUser();
export const payee = await signPayee();
export const request = await signRequest();

const link = () => ({
  certificateId: certificate.content.certificateId,
  sequence: 1,
  previous: chainHashOf(certificate.messageId),
  amountMinor: 1_337n,
  spentMinor: 1_337n,
  issuedAt: NOW - 5,
});

export const signPayment = signer<Payment>(
  messages.payment,
  () => ({ ...link(), requestHash: requestHashOf(request.messageId) }),
  device,
);
export const signOpen = signer<OpenPayment>(messages.openPayment, () => ({ ...link(), expiresAt: NOW + 55 }), device);
export const payment = await signPayment();
export const open = await signOpen();

const statement = (about: MessageId) => ({
  payeeCertificateId: payee.content.payeeCertificateId,
  paymentId: about,
  amountMinor: 1_337n,
  issuedAt: NOW,
});
export const signCapture = signer<Capture>(messages.capture, () => statement(open.messageId), terminal);
export const signReceipt = signer<Receipt>(messages.receipt, () => statement(payment.messageId), terminal);
export const signVoid = signer<RequestVoid>(
  messages.requestVoid,
  () => ({
    payeeCertificateId: payee.content.payeeCertificateId,
    requestId: request.messageId,
    issuedAt: NOW,
  }),
  terminal,
);
export const signClosing = signer<Closing>(
  messages.closing,
  () => ({
    certificateId: certificate.content.certificateId,
    sequence: 1,
    spentMinor: 1_337n,
    previous: chainHashOf(payment.messageId),
    issuedAt: NOW + 60,
  }),
  device,
);

const deviceId = messages.deviceIdOf(device.publicKey, crypto);
export const signCallEnvelope = (purpose: messages.CallPurpose) =>
  signer<SignedCall>(
    messages.signedCall[purpose],
    () => ({
      callerId: deviceId,
      nonce: id<ServerNonce>(0x5e, 24),
      contentHash: messages.identifier<ContentHash>(crypto.sha256(new Uint8Array()), 32),
      issuedAt: NOW,
    }),
    device,
  );

/** The kinds of message by the name that `decode` cases use, each with its usual sample and signer. */
export const KINDS = {
  "user-certificate": { kind: messages.userCertificate, by: issuer, sample: certificate },
  "payee-certificate": { kind: messages.payeeCertificate, by: issuer, sample: payee },
  "payment-request": { kind: messages.paymentRequest, by: terminal, sample: request },
  payment: { kind: messages.payment, by: device, sample: payment },
  "open-payment": {
    kind: messages.openPayment,
    by: device,
    sample: await signOpen({ audience: "KIOSK-3" as PayeeId }),
  },
  capture: { kind: messages.capture, by: terminal, sample: await signCapture() },
  receipt: { kind: messages.receipt, by: terminal, sample: await signReceipt() },
  void: { kind: messages.requestVoid, by: terminal, sample: await signVoid() },
  closing: { kind: messages.closing, by: device, sample: await signClosing() },
  "trust-list": { kind: messages.trustList, by: root, sample: await signTrustList() },
  "status-list": { kind: messages.statusList, by: issuer, sample: await signStatusList() },
  "call-enrolment": { kind: messages.signedCall.enrolment, by: device, sample: await signCallEnvelope("enrolment")() },
  "call-upload": { kind: messages.signedCall.upload, by: device, sample: await signCallEnvelope("upload")() },
  "call-sync": { kind: messages.signedCall.sync, by: device, sample: await signCallEnvelope("sync")() },
  "call-outcomes": { kind: messages.signedCall.outcomes, by: device, sample: await signCallEnvelope("outcomes")() },
} as const;
export type KindName = keyof typeof KINDS;

export type Faulty = {
  /** Changes the payload's map before it is encoded. */
  readonly payload?: (map: CborMap) => void;
  /** Stands in place of the whole payload. */
  readonly payloadBytes?: Uint8Array;
  /** Stands in place of the protected header's content. */
  readonly protectedBytes?: Uint8Array;
  /** Stands in place of the whole message, made from its four parts. */
  readonly message?: (parts: CborValue[]) => Uint8Array;
  readonly by?: Signer;
};

/** A sample of the kind with one fault, its signature genuine over whatever it then says. */
export async function faulty(name: KindName, fault: Faulty): Promise<Uint8Array> {
  const { kind, by, sample } = KINDS[name];
  const decoded = decodeSign1(sample.bytes, kind.form);
  const map = decodeCbor(decoded.payload);
  if (!(map instanceof Map)) throw new TypeError("A payload is a map.");
  fault.payload?.(map);
  const payload = fault.payloadBytes ?? encodeCbor(map);
  const prepared = prepareSign1({ headers: decoded.headers, payload, form: kind.form });
  const protectedBytes = fault.protectedBytes ?? decoded.protectedBytes;
  const toBeSigned = encodeCbor(["Signature1", protectedBytes, new TextEncoder().encode(kind.form.context), payload]);
  const signature = await (fault.by ?? by).sign(toBeSigned);
  const bytes = finishSign1({ ...prepared, protectedBytes, toBeSigned }, signature);
  return fault.message?.([protectedBytes, new Map(), payload, signature]) ?? bytes;
}

export const rootKeyBytes = encodeCbor(publicKeyToCbor(root.publicKey));
export const chainHash = (lead: number): ChainHash => id<ChainHash>(lead, 8);
