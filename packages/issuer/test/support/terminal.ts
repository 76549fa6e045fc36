import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Signer } from "@cairn/cose";
import { generateNodeSigner } from "@cairn/cose/node";
import {
  capture,
  encodeUploadRecord,
  identifier,
  type OpenPayment,
  type PayeeCertificate,
  type Payment,
  type PaymentRequest,
  payeeCertificate,
  paymentRequest,
  type RequestNonce,
  receipt,
  requestVoid,
  restoreVerified,
  signMessage,
  type UserCertificate,
  type Verified,
} from "@cairn/messages";
import { IssuerClient } from "../../src/client/issuer-client.ts";
import type { ReachableIssuer } from "./issuer.ts";
import { crypto } from "./values.ts";

/** What a terminal shows: its certificate and the signed request. */
export type ShownRequest = { readonly payeeCertificate: Uint8Array; readonly request: Verified<PaymentRequest> };

/** A terminal in the plainest form: it checks nothing, so that tests can upload whatever they like. */
export class TestTerminal {
  readonly signer: Signer = generateNodeSigner();
  readonly client: IssuerClient;
  readonly #at: ReachableIssuer;
  #certificate: Verified<PayeeCertificate> | undefined;

  constructor(at: ReachableIssuer) {
    this.#at = at;
    this.client = new IssuerClient({ url: at.issuer.url, signer: this.signer, crypto, clock: at.clock });
  }

  async enrol(code: string): Promise<this> {
    const enrolled = await this.client.enrolTerminal({ code, protection: 0, label: "test till" });
    this.#certificate = restoreVerified(payeeCertificate, enrolled.payeeCertificate, crypto);
    return this;
  }

  get certificate(): Verified<PayeeCertificate> {
    assert.ok(this.#certificate, "the terminal is enrolled");
    return this.#certificate;
  }

  async request(amountMinor: bigint, changes: Partial<PaymentRequest> = {}): Promise<ShownRequest> {
    const { payeeCertificateId, terms } = this.certificate.content;
    const content: PaymentRequest = {
      payeeCertificateId,
      amountMinor,
      currency: terms.currency,
      nonce: identifier<RequestNonce>(randomBytes(8), 8),
      issuedAt: this.#at.clock.now,
      expiresAt: this.#at.clock.now + 300,
      ...changes,
    };
    const request = await signMessage(paymentRequest, content, { signer: this.signer, crypto });
    return { payeeCertificate: this.certificate.bytes, request };
  }

  record(request: ShownRequest, certificate: Verified<UserCertificate>, paid: Verified<Payment>): Uint8Array {
    return encodeUploadRecord({
      kind: "payment",
      payeeCertificate: request.payeeCertificate,
      request: request.request.bytes,
      certificate: certificate.bytes,
      payment: paid.bytes,
    });
  }

  async captureRecord(
    certificate: Verified<UserCertificate>,
    paid: Verified<OpenPayment>,
    amountMinor: bigint,
  ): Promise<Uint8Array> {
    const { bytes } = await signMessage(capture, this.#about(paid, amountMinor), { signer: this.signer, crypto });
    return encodeUploadRecord({
      kind: "open-payment",
      payeeCertificate: this.certificate.bytes,
      capture: bytes,
      certificate: certificate.bytes,
      payment: paid.bytes,
    });
  }

  async receipt(paid: Verified<Payment> | Verified<OpenPayment>, amountMinor: bigint): Promise<Uint8Array> {
    return (await signMessage(receipt, this.#about(paid, amountMinor), { signer: this.signer, crypto })).bytes;
  }

  async void(request: ShownRequest): Promise<Uint8Array> {
    const { payeeCertificateId } = this.certificate.content;
    const content = { payeeCertificateId, requestId: request.request.messageId, issuedAt: this.#at.clock.now };
    return (await signMessage(requestVoid, content, { signer: this.signer, crypto })).bytes;
  }

  async voidRecord(request: ShownRequest): Promise<Uint8Array> {
    const { payeeCertificate } = request;
    return encodeUploadRecord({
      kind: "void",
      payeeCertificate,
      request: request.request.bytes,
      requestVoid: await this.void(request),
    });
  }

  #about(paid: Verified<Payment> | Verified<OpenPayment>, amountMinor: bigint) {
    const { payeeCertificateId } = this.certificate.content;
    return { payeeCertificateId, paymentId: paid.messageId, amountMinor, issuedAt: this.#at.clock.now };
  }
}
