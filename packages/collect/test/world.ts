import {
  type CollectPolicy,
  DEFAULT_COLLECT_POLICY,
  type Enrolment,
  openTerminal,
  type Receiver,
  type Terminal,
  type TerminalJournal,
  type TerminalPorts,
} from "@cairn/collect";
import { encodeCbor, publicKeyToCbor, type Signer } from "@cairn/cose";
import { generateNodeSigner, nodeCrypto } from "@cairn/cose/node";
import {
  type CertificateId,
  type ChainHash,
  type ChainLink,
  chainHashOf,
  currency,
  expectCode,
  IDENTIFIER_BYTES,
  type IssuerId,
  identifier,
  KEY_USE,
  type KeyId,
  keyIdOf,
  type OpenPayment,
  openPayment,
  type PayeeCertificate,
  type PayeeCertificateId,
  type PayeeId,
  type Payment,
  payeeCertificate,
  payment,
  paymentRequest,
  readCode,
  requestHashOf,
  restoreVerified,
  type StatusList,
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
import { MemoryTerminalJournal } from "@cairn/stores";

/** A little economy for tests: one issuer, payers' devices and terminals, all at the same time `NOW` unless told. */
export const NOW = 1_800_000_000;
export const DAY = 86_400;
export const crypto = nodeCrypto();
export const EUR = currency("EUR");

/** A clock that stands where it is put. */
export const handClock = (at = NOW) => {
  const clock = { at, nowSeconds: () => clock.at };
  return clock;
};

let counter = 0;
/** Different bytes every time, the same in every run of one process. */
export const countingRandom = {
  bytes: (length: number): Uint8Array => {
    counter++;
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(length - 4, counter);
    return bytes;
  },
};
const freshId = <Id extends CertificateId | PayeeCertificateId>(length: number): Id =>
  identifier<Id>(countingRandom.bytes(length), length);

export type Issuer = ReturnType<typeof makeIssuer>;

export function makeIssuer() {
  const root = generateNodeSigner();
  const issuing = generateNodeSigner();
  const issuerKeyId: KeyId = keyIdOf(issuing.publicKey, crypto);
  const rootKey = encodeCbor(publicKeyToCbor(root.publicKey));

  async function signTrustList(changes: Partial<TrustList> = {}, by: Signer = root): Promise<Uint8Array> {
    const content: TrustList = {
      rootKeyId: keyIdOf(by.publicKey, crypto),
      issuedAt: NOW - DAY,
      expiresAt: NOW + 30 * DAY,
      version: 1,
      keys: [
        {
          issuerId: "issuer" as IssuerId,
          issuerName: "Issuer",
          issuerUrl: "http://127.0.0.1:1",
          key: issuing.publicKey,
          validFrom: NOW - 100 * DAY,
          validUntil: NOW + 100 * DAY,
          uses: KEY_USE.userCertificates | KEY_USE.payeeCertificates | KEY_USE.statusLists,
        },
      ],
      ...changes,
    };
    return (await signMessage(trustList, content, { signer: by, crypto })).bytes;
  }

  async function signStatusList(changes: Partial<StatusList> = {}, revoked: number[] = []): Promise<Uint8Array> {
    const content: StatusList = {
      issuerKeyId,
      uri: "http://127.0.0.1:1/v1/status-list",
      issuedAt: NOW - 3600,
      expiresAt: NOW + 7 * DAY,
      timeToLiveSeconds: 3600,
      bits: statusBits({ size: 64, revoked }),
      ...changes,
    };
    return (await signMessage(statusList, content, { signer: issuing, crypto })).bytes;
  }

  function signPayee(
    terminal: Signer,
    changes: Partial<Omit<PayeeCertificate, "terms">> & { terms?: Partial<PayeeCertificate["terms"]> } = {},
  ): Promise<Verified<PayeeCertificate>> {
    const { terms, ...rest } = changes;
    const content: PayeeCertificate = {
      issuerKeyId,
      payeeCertificateId: freshId(IDENTIFIER_BYTES.payeeCertificateId),
      payeeId: "BAKERY" as PayeeId,
      terminalKey: terminal.publicKey,
      issuedAt: NOW - DAY,
      expiresAt: NOW + 30 * DAY,
      ...rest,
      terms: {
        name: "Bakery",
        currency: EUR,
        perPaymentCapMinor: 5_000n,
        storedTotalCapMinor: 20_000n,
        perCertificateCapMinor: 10_000n,
        maximumOfflineSeconds: DAY,
        ...terms,
      },
    };
    return signMessage(payeeCertificate, content, { signer: issuing, crypto });
  }

  function signUser(
    device: Signer,
    changes: Partial<Omit<UserCertificate, "terms">> & { terms?: Partial<UserCertificate["terms"]> } = {},
    by: Signer = issuing,
  ): Promise<Verified<UserCertificate>> {
    const { terms, ...rest } = changes;
    const content: UserCertificate = {
      issuerKeyId: keyIdOf(by.publicKey, crypto),
      certificateId: freshId(IDENTIFIER_BYTES.certificateId),
      deviceKey: device.publicKey,
      issuedAt: NOW - DAY,
      expiresAt: NOW + DAY,
      ...rest,
      terms: {
        currency: EUR,
        limitMinor: 10_000n,
        perPaymentCapMinor: 3_000n,
        protection: 2,
        statusIndex: 7,
        ...terms,
      },
    };
    return signMessage(userCertificate, content, { signer: by, crypto });
  }

  return { root, issuing, issuerKeyId, rootKey, signTrustList, signStatusList, signPayee, signUser };
}

export type Payer = Awaited<ReturnType<typeof makePayer>>;

/** A device that signs whatever it is told to; by default the honest next payment. */
export async function makePayer(issuer: Issuer, changes: Parameters<Issuer["signUser"]>[1] = {}) {
  const signer = generateNodeSigner();
  const certificate = await issuer.signUser(signer, changes);
  const chain = { sequence: 0, spentMinor: 0n, previous: chainHashOf(certificate.messageId) };
  const { certificateId } = certificate.content;

  function next(amountMinor: bigint, issuedAt: number): ChainLink {
    const { sequence, spentMinor, previous } = chain;
    return {
      certificateId,
      sequence: sequence + 1,
      previous: previous as ChainHash,
      amountMinor,
      spentMinor: spentMinor + amountMinor,
      issuedAt,
    };
  }

  function remember(link: ChainLink, signed: Verified<ChainLink>): void {
    if (link.sequence <= chain.sequence) return;
    chain.sequence = link.sequence;
    chain.spentMinor = link.spentMinor;
    chain.previous = chainHashOf(signed.messageId);
  }

  /** Answers a request code. `changes` make the payment dishonest; `by` signs with another key. */
  async function pay(requestCode: string, changes: Partial<Payment> = {}, by: Signer = signer) {
    const code = expectCode(readCode(requestCode), "request");
    const request = restoreVerified(paymentRequest, code.message, crypto);
    const content: Payment = {
      ...next(request.content.amountMinor, request.content.issuedAt),
      requestHash: requestHashOf(request.messageId),
      ...changes,
    };
    const signed = await signMessage(payment, content, { signer: by, crypto });
    remember(content, signed);
    return { signed, codeText: writeCode({ type: "payment", certificate: certificate.bytes, message: signed.bytes }) };
  }

  async function payOpen(amountMinor: bigint, changes: Partial<OpenPayment> = {}, by: Signer = signer) {
    const content: OpenPayment = { ...next(amountMinor, NOW), expiresAt: NOW + 60, ...changes };
    const signed = await signMessage(openPayment, content, { signer: by, crypto });
    remember(content, signed);
    const codeText = writeCode({ type: "open-payment", certificate: certificate.bytes, message: signed.bytes });
    return { signed, codeText };
  }

  return { signer, certificate, chain, pay, payOpen };
}

export type TerminalWorld = Awaited<ReturnType<typeof makeTerminal>>;

export type TerminalChanges = {
  readonly policy?: Partial<CollectPolicy>;
  readonly payee?: Parameters<Issuer["signPayee"]>[1];
  readonly trustList?: Partial<TrustList>;
  readonly statusList?: Partial<StatusList>;
  readonly revoked?: number[];
  readonly journal?: TerminalJournal;
  readonly at?: number;
};

/** An enrolled terminal. `again` opens a second one on the same journal, as after a crash. */
export async function makeTerminal(issuer: Issuer, changes: TerminalChanges = {}) {
  const signer = generateNodeSigner();
  const clock = handClock(changes.at);
  const journal = changes.journal ?? new MemoryTerminalJournal();
  const policy: CollectPolicy = { ...DEFAULT_COLLECT_POLICY, ...changes.policy };
  const ports: TerminalPorts = { journal, signer, crypto, clock, random: countingRandom, policy };
  const payee = await issuer.signPayee(signer, changes.payee);
  const enrolment: Enrolment = {
    rootKey: issuer.rootKey,
    trustList: await issuer.signTrustList(changes.trustList),
    statusList: await issuer.signStatusList(changes.statusList, changes.revoked),
    payeeCertificate: payee.bytes,
  };
  const terminal = openTerminal(ports);
  const enrolled = await terminal.enrol(enrolment);
  if (enrolled.kind !== "enrolled") throw new Error(`not enrolled: ${enrolled.refusal.code}`);
  const again = (other: Partial<TerminalPorts> = {}): Terminal => openTerminal({ ...ports, ...other });
  return { terminal, signer, clock, journal, ports, payee, enrolment, again };
}

export const eur = (minor: bigint) => ({ currency: EUR, minor });

/** A request that is made for sure. */
export async function chargeFor(terminal: Receiver, minor: bigint) {
  const outcome = await terminal.charge({ amount: eur(minor) });
  if (outcome.kind !== "requested") throw new Error(`not requested: ${outcome.refusal.code}`);
  return outcome;
}

/** The code of a refusal, or the kind of any other outcome. */
export const codeOf = (outcome: { kind: string; refusal?: { code: string } }): string =>
  outcome.refusal?.code ?? outcome.kind;

/** A terminal, a request of 100 and a payment for it, not yet accepted. */
export async function offered(
  issuer: Issuer,
  terminalChanges: TerminalChanges,
  paymentChanges: Parameters<Payer["pay"]>[1] = {},
  certificateChanges: Parameters<Issuer["signUser"]>[1] = {},
) {
  const world = await makeTerminal(issuer, terminalChanges);
  const payer = await makePayer(issuer, certificateChanges);
  const asked = await chargeFor(world.terminal, 100n);
  const { codeText } = await payer.pay(asked.codeText, paymentChanges);
  return { world, payer, codeText, requestId: asked.requestId, asked: asked.codeText };
}

/** Puts an older list into the journal than a terminal would take. */
export async function replaceStatusList(
  { journal, enrolment, payee }: TerminalWorld,
  statusList: Uint8Array,
): Promise<void> {
  const held = await journal.setup();
  const { payeeCertificateId } = payee.content;
  await journal.replaceSetup(
    { ...enrolment, statusList, payeeCertificateId, issuerId: undefined, guests: [] },
    held?.revision ?? 0,
  );
}
