import assert from "node:assert/strict";
import { decodeCbor, publicKeyFromCbor, type Signer } from "@cairn/cose";
import { generateNodeSigner } from "@cairn/cose/node";
import {
  type ChainHash,
  chainHashOf,
  closing,
  decodeMessage,
  encodeSyncRecord,
  type KeyProtection,
  type OpenPayment,
  openPayment,
  type Payment,
  payment,
  requestHashOf,
  restoreVerified,
  signMessage,
  trustAnchors,
  trustList,
  type UserCertificate,
  userCertificate,
  type Verified,
  verifyMessage,
  verifyUserCertificate,
} from "@cairn/messages";
import type { SyncAnswer } from "../../src/api/device-api.ts";
import { IssuerClient, type SyncInput } from "../../src/client/issuer-client.ts";
import type { ReachableIssuer } from "./issuer.ts";
import type { ShownRequest } from "./terminal.ts";
import { crypto } from "./values.ts";

/** A wallet in the plainest form: counters in memory, messages built by hand, so that tests can also make it lie. */
export class TestWallet {
  readonly signer: Signer = generateNodeSigner();
  readonly client: IssuerClient;
  readonly #at: ReachableIssuer;
  #paying: Promise<unknown> = Promise.resolve();
  certificate: Verified<UserCertificate> | undefined;
  sequence = 0;
  spentMinor = 0n;
  previous: ChainHash | undefined;

  constructor(at: ReachableIssuer) {
    this.#at = at;
    this.client = new IssuerClient({ url: at.issuer.url, signer: this.signer, crypto, clock: at.clock });
  }

  async enrol(code: string, protection: KeyProtection = 2): Promise<this> {
    await this.client.enrolDevice({ code, protection, label: "test wallet" });
    return this;
  }

  /** Syncs and takes over the certificate that comes back. */
  async sync(input: Partial<SyncInput> = {}): Promise<SyncAnswer> {
    const answer = await this.client.sync({ records: [], ...input });
    if (answer.certificate !== null) this.hold(answer.certificate);
    return answer;
  }

  hold(bytes: Uint8Array): void {
    this.certificate = restoreVerified(userCertificate, bytes, crypto);
    this.sequence = 0;
    this.spentMinor = 0n;
    this.previous = chainHashOf(this.certificate.messageId);
  }

  held(): Verified<UserCertificate> {
    assert.ok(this.certificate, "the wallet holds a certificate");
    return this.certificate;
  }

  /** Signs a payment as told, counters included, and does not remember it. */
  signPayment(request: ShownRequest, changes: Partial<Payment> = {}): Promise<Verified<Payment>> {
    const { content } = request.request;
    const link = this.#link(content.amountMinor);
    const requestHash = requestHashOf(request.request.messageId);
    return signMessage(payment, { ...link, requestHash, ...changes }, { signer: this.signer, crypto });
  }

  /** One payment after the other, as a wallet's store sees to it. */
  pay(request: ShownRequest): Promise<Verified<Payment>> {
    const paid = this.#paying.then(async () => {
      const signed = await this.signPayment(request);
      this.#remember(signed);
      return signed;
    });
    this.#paying = paid;
    return paid;
  }

  async payOpen(maximumMinor: bigint, changes: Partial<OpenPayment> = {}): Promise<Verified<OpenPayment>> {
    const expiresAt = this.#at.clock.now + 60;
    const content = { ...this.#link(maximumMinor), expiresAt, ...changes };
    const paid = await signMessage(openPayment, content, { signer: this.signer, crypto });
    this.#remember(paid);
    return paid;
  }

  /** Another wallet with the same key, certificate and counters: a cloned device. */
  clone(): TestWallet {
    const other = new TestWallet(this.#at);
    return Object.assign(other, {
      signer: this.signer,
      certificate: this.certificate,
      sequence: this.sequence,
      spentMinor: this.spentMinor,
      previous: this.previous,
    });
  }

  /** The sync record of a payment, with what the payee said of it where the wallet has it. */
  record(
    paid: Verified<Payment>,
    about: { request: ShownRequest; receipt?: Uint8Array; requestVoid?: Uint8Array },
  ): Uint8Array {
    return encodeSyncRecord({
      kind: "payment",
      certificate: this.held().bytes,
      payment: paid.bytes,
      payeeCertificate: about.request.payeeCertificate,
      request: about.request.request.bytes,
      receipt: about.receipt,
      requestVoid: about.requestVoid,
    });
  }

  async closingRecord(changes: { sequence?: number; spentMinor?: bigint } = {}): Promise<Uint8Array> {
    const content = {
      certificateId: this.held().content.certificateId,
      sequence: this.sequence,
      spentMinor: this.spentMinor,
      previous: this.#previous(),
      issuedAt: this.#at.clock.now,
      ...changes,
    };
    const signed = await signMessage(closing, content, { signer: this.signer, crypto });
    return encodeSyncRecord({ kind: "closing", closing: signed.bytes });
  }

  #link(amountMinor: bigint) {
    return {
      certificateId: this.held().content.certificateId,
      sequence: this.sequence + 1,
      previous: this.#previous(),
      amountMinor,
      spentMinor: this.spentMinor + amountMinor,
      issuedAt: this.#at.clock.now,
    };
  }

  #previous(): ChainHash {
    assert.ok(this.previous);
    return this.previous;
  }

  #remember(paid: Verified<Payment> | Verified<OpenPayment>): void {
    this.sequence = paid.content.sequence;
    this.spentMinor = paid.content.spentMinor;
    this.previous = chainHashOf(paid.messageId);
  }
}

/** What a device does with what it got: the trust list under the pinned root key, the certificate under the list. */
export async function verifyDelivered(delivered: {
  readonly rootKey: Uint8Array;
  readonly trustList: Uint8Array;
  readonly certificate: Uint8Array;
}): Promise<Verified<UserCertificate>> {
  const key = publicKeyFromCbor(decodeCbor(delivered.rootKey));
  const list = await verifyMessage(decodeMessage(trustList, delivered.trustList, crypto), { key, crypto });
  const decoded = decodeMessage(userCertificate, delivered.certificate, crypto);
  const certificate = await verifyUserCertificate(decoded, { anchors: trustAnchors(list, crypto), crypto });
  assert.ok("content" in certificate, "the certificate is genuine");
  return certificate;
}
