import type { Signer } from "@cairn/cose";
import { nodeCrypto } from "@cairn/cose/node";
import { IssuerClient } from "@cairn/issuer/client";
import {
  acceptEnrolment,
  acceptReceipt,
  applySyncAnswer,
  buildSync,
  consentTo,
  pay,
  type RequestReview,
  reviewRequest,
  type WalletPorts,
} from "@cairn/pay";
import { SqliteWalletStore } from "@cairn/stores";

/** A wallet in its smallest form: one device of one account. */
export class EmbeddedWallet {
  readonly #ports: WalletPorts;
  readonly #client: IssuerClient;

  /** @param signer The device's key, the same at every start, kept where nobody can read it. */
  constructor(file: string, signer: Signer, issuerUrl: string) {
    const clock = { nowSeconds: () => Math.floor(Date.now() / 1000) };
    this.#ports = { store: new SqliteWalletStore(file), signer, crypto: nodeCrypto(), clock };
    this.#client = new IssuerClient({ url: issuerUrl, signer, crypto: this.#ports.crypto });
  }

  /** Online, once. After a lost answer the same call again is right. */
  async enrol(code: string): Promise<void> {
    // What guards the key, 0 (a file) to 3 (a certified secure element): the issuer's policy looks at it.
    const answer = await this.#client.enrolDevice({ code, protection: 0, label: "embedded wallet" });
    const enrolled = await acceptEnrolment(this.#ports, answer);
    if (enrolled.kind === "refused") throw new Error(enrolled.refusal.sentence);
  }

  /** Online, whenever there is a line: brings payments home and takes a certificate back when one is due. */
  async sync(): Promise<void> {
    for (let more = true; more; ) {
      const batch = await buildSync(this.#ports);
      const { content, holds, since } = batch;
      const answer = await this.#client.sync({ records: [content], holds, since });
      const { refusals } = await applySyncAnswer(this.#ports, { answer, entries: batch.entries });
      if (refusals[0] !== undefined) throw new Error(refusals[0].refusal.sentence);
      more = batch.more;
    }
  }

  /** Offline. `agrees` shows payee and amount to a person: nothing is signed before the person says yes. */
  async answer(requestCode: string, agrees: (review: RequestReview) => Promise<boolean>): Promise<string> {
    const review = await reviewRequest(this.#ports, requestCode);
    if (review.kind === "refused") return review.refusal.sentence;
    if (!(await agrees(review))) return "Not paid.";
    const paid = await pay(this.#ports, { review, consent: consentTo(review) });
    return paid.kind === "refused" ? paid.refusal.sentence : paid.codeText;
  }

  /** Offline. The payee's word that it took the payment. */
  async keepReceipt(receiptCode: string): Promise<void> {
    const kept = await acceptReceipt(this.#ports, receiptCode);
    if (kept.kind === "refused") throw new Error(kept.refusal.sentence);
  }

  close(): Promise<void> {
    return this.#ports.store.close();
  }
}
