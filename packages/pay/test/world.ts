import { encodeCbor, type P256PublicKey, publicKeyToCbor, type Signer } from "@cairn/cose";
import { generateNodeSigner, nodeCrypto } from "@cairn/cose/node";
import {
  type CertificateId,
  type Currency,
  currency,
  identifier,
  isIssuerId,
  isPayeeId,
  KEY_USE,
  keyIdOf,
  type MessageId,
  type PayeeCertificate,
  type PayeeCertificateId,
  type PayeeId,
  type PaymentRequest,
  payeeCertificate,
  paymentRequest,
  type Receipt,
  type RequestNonce,
  receipt,
  requestVoid,
  signMessage,
  statusBits,
  statusList,
  type TrustList,
  trustList,
  type UserCertificate,
  userCertificate,
  type Verified,
  writeCode,
} from "@cairn/messages";
import { MemoryWalletStore } from "@cairn/stores";
import {
  acceptEnrolment,
  applySyncAnswer,
  type EnrolmentAnswer,
  type SyncAnswer,
  type WalletPorts,
} from "../src/index.ts";

export const NOW = 1_800_000_000;
export const DAY = 86_400;
export const EUR = currency("EUR");
export const USD = currency("USD");

export const crypto = nodeCrypto();
const ROOT = generateNodeSigner();
const ISSUER = generateNodeSigner();
const by = (signer: Signer) => ({ signer, crypto });

export function payeeId(text: string): PayeeId {
  if (!isPayeeId(text)) throw new TypeError(text);
  return text;
}

/** Bytes that differ for each number, for identifiers. */
export function numbered(number: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(length - 4, number);
  return bytes;
}

export const certificateId = (number: number) => identifier<CertificateId>(numbered(number, 16), 16);
export const payeeCertificateId = (number: number) => identifier<PayeeCertificateId>(numbered(number, 8), 8);
export const messageId = (number: number) => identifier<MessageId>(numbered(number, 32), 32);

export async function aTrustList(changes: Partial<TrustList> = {}, root: Signer = ROOT): Promise<Uint8Array> {
  const issuerId = "demo";
  if (!isIssuerId(issuerId)) throw new TypeError(issuerId);
  const uses = KEY_USE.userCertificates | KEY_USE.payeeCertificates | KEY_USE.statusLists;
  const key = {
    issuerId,
    issuerName: "Demo Bank",
    issuerUrl: "http://127.0.0.1:1",
    key: ISSUER.publicKey,
    validFrom: 0,
    validUntil: NOW + 1_000 * DAY,
    uses,
  };
  const content = {
    rootKeyId: keyIdOf(root.publicKey, crypto),
    issuedAt: NOW - 100,
    expiresAt: NOW + 60 * DAY,
    version: 1,
    keys: [key],
    ...changes,
  };
  return (await signMessage(trustList, content, by(root))).bytes;
}

export async function aStatusList(
  changes: { readonly issuedAt?: number; readonly expiresAt?: number; readonly revoked?: readonly number[] } = {},
  issuer: Signer = ISSUER,
): Promise<Uint8Array> {
  const { revoked = [], issuedAt = NOW - 50, expiresAt = NOW + 30 * DAY } = changes;
  const content = {
    issuerKeyId: keyIdOf(issuer.publicKey, crypto),
    uri: "http://127.0.0.1:1/status",
    issuedAt,
    expiresAt,
    timeToLiveSeconds: 3_600,
    bits: statusBits({ size: 1_000, revoked }),
  };
  return (await signMessage(statusList, content, by(issuer))).bytes;
}

export type CertificateChanges = Partial<Omit<UserCertificate, "terms">> & {
  readonly terms?: Partial<UserCertificate["terms"]>;
  readonly signer?: Signer;
};

/** 100.00 EUR, at most 60.00 at once, for a week. */
export function aUserCertificate(
  deviceKey: P256PublicKey,
  { terms, signer = ISSUER, ...changes }: CertificateChanges = {},
): Promise<Verified<UserCertificate>> {
  const content: UserCertificate = {
    issuerKeyId: keyIdOf(signer.publicKey, crypto),
    certificateId: certificateId(1),
    deviceKey,
    issuedAt: NOW - 60,
    expiresAt: NOW + 7 * DAY,
    ...changes,
    terms: {
      currency: EUR,
      limitMinor: 10_000n,
      perPaymentCapMinor: 6_000n,
      protection: 0,
      statusIndex: 1,
      ...terms,
    },
  };
  return signMessage(userCertificate, content, by(signer));
}

/** A payee's till: what it can say and sign. */
export class Till {
  readonly signer: Signer;
  readonly certificate: Verified<PayeeCertificate>;
  #nonce = 0;

  constructor(signer: Signer, certificate: Verified<PayeeCertificate>) {
    this.signer = signer;
    this.certificate = certificate;
  }

  get certificateId(): PayeeCertificateId {
    return this.certificate.content.payeeCertificateId;
  }

  signRequest(changes: Partial<PaymentRequest> = {}): Promise<Verified<PaymentRequest>> {
    this.#nonce++;
    const content: PaymentRequest = {
      payeeCertificateId: this.certificateId,
      amountMinor: 1_250n,
      currency: EUR,
      nonce: identifier<RequestNonce>(numbered(this.#nonce, 8), 8),
      issuedAt: NOW,
      expiresAt: NOW + 300,
      orderReference: "A-1",
      ...changes,
    };
    return signMessage(paymentRequest, content, by(this.signer));
  }

  /** The code of a new request. */
  async charge(changes: Partial<PaymentRequest> = {}): Promise<string> {
    return this.codeOf("request", (await this.signRequest(changes)).bytes);
  }

  async receiptFor(
    paymentId: MessageId,
    amountMinor: bigint,
    changes: Partial<Receipt> & { readonly signer?: Signer } = {},
  ): Promise<string> {
    const { signer = this.signer, ...rest } = changes;
    const content = { payeeCertificateId: this.certificateId, paymentId, amountMinor, issuedAt: NOW + 5, ...rest };
    return this.codeOf("receipt", (await signMessage(receipt, content, by(signer))).bytes);
  }

  async voidOf(requestId: MessageId, issuedAt = NOW + 5): Promise<string> {
    const content = { payeeCertificateId: this.certificateId, requestId, issuedAt };
    return this.codeOf("void", (await signMessage(requestVoid, content, by(this.signer))).bytes);
  }

  codeOf(type: "request" | "receipt" | "void", message: Uint8Array): string {
    return writeCode({ type, certificate: this.certificate.bytes, message });
  }
}

export type TillChanges = Partial<Omit<PayeeCertificate, "terms">> & {
  readonly terms?: Partial<PayeeCertificate["terms"]>;
  readonly issuer?: Signer;
  readonly signer?: Signer;
};

export async function aTill({
  terms,
  issuer = ISSUER,
  signer = generateNodeSigner(),
  ...changes
}: TillChanges = {}): Promise<Till> {
  const content: PayeeCertificate = {
    issuerKeyId: keyIdOf(issuer.publicKey, crypto),
    payeeCertificateId: payeeCertificateId(1),
    payeeId: payeeId("KIOSK"),
    terminalKey: signer.publicKey,
    issuedAt: NOW - DAY,
    expiresAt: NOW + 90 * DAY,
    ...changes,
    terms: {
      name: "Harbour Kiosk",
      currency: EUR,
      perPaymentCapMinor: 50_000n,
      storedTotalCapMinor: 500_000n,
      perCertificateCapMinor: 50_000n,
      maximumOfflineSeconds: 7 * DAY,
      ...terms,
    },
  };
  return new Till(signer, await signMessage(payeeCertificate, content, by(issuer)));
}

export type World = { readonly ports: WalletPorts; readonly clock: { seconds: number } };

/** Ports of a wallet on a store, with a clock that tests move. */
export function portsOn(
  store: WalletPorts["store"] = new MemoryWalletStore(),
  signer: Signer = generateNodeSigner(),
): World {
  const clock = { seconds: NOW };
  return { clock, ports: { store, signer, crypto, clock: { nowSeconds: () => clock.seconds } } };
}

export async function anEnrolmentAnswer(
  changes: Partial<EnrolmentAnswer> & { readonly currencyOf?: Currency } = {},
): Promise<EnrolmentAnswer> {
  const { currencyOf = EUR, ...rest } = changes;
  return {
    issuerId: "demo",
    issuerName: "Demo Bank",
    rootKey: encodeCbor(publicKeyToCbor(ROOT.publicKey)),
    trustList: await aTrustList(),
    statusList: await aStatusList(),
    currency: currencyOf,
    ...rest,
  };
}

export async function aSyncAnswer(changes: Partial<SyncAnswer> = {}): Promise<SyncAnswer> {
  const lists = { trustList: await aTrustList(), statusList: await aStatusList() };
  return { ...lists, certificate: null, records: [], payments: [], ...changes };
}

export async function enrolled(world: World = portsOn()): Promise<World> {
  await acceptEnrolment(world.ports, await anEnrolmentAnswer());
  return world;
}

/** An enrolled wallet with certificates, one for each entry. */
export async function holding(changes: readonly CertificateChanges[] = [{}], world: World = portsOn()): Promise<World> {
  await enrolled(world);
  for (const each of changes) await hold(world, each);
  return world;
}

export async function hold({ ports }: World, changes: CertificateChanges = {}): Promise<Verified<UserCertificate>> {
  const certificate = await aUserCertificate(ports.signer.publicKey, changes);
  const answer = await aSyncAnswer({ certificate: certificate.bytes });
  const { refusals } = await applySyncAnswer(ports, { answer, entries: [] });
  if (refusals.length > 0) throw new Error(JSON.stringify(refusals));
  return certificate;
}
