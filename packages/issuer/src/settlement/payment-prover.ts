import type { P256PublicKey, SignatureBatches } from "@cairn/cose";
import { type Decoded, type OpenPayment, type Payment, type Verified, verifyMessages } from "@cairn/messages";
import type { DecodedRecord } from "./decode-record.ts";
import { RecentCache } from "./recent-cache.ts";
import type { UploadedRecord } from "./verify-records.ts";

type SenderId = UploadedRecord["senderId"];
type AnyPayment = Payment | OpenPayment;
type Hinted = {
  readonly senderId: SenderId;
  readonly decoded: Decoded<AnyPayment>;
  readonly key: P256PublicKey;
  readonly hint: Uint8Array;
};

/** Verified payments, by their decoded form, each under the device key that its record's certificate names. */
export class ProvenPayments {
  readonly #proven = new Map<Decoded<AnyPayment>, { readonly key: P256PublicKey; readonly payment: unknown }>();
  readonly #wrongHintsOf = new Set<SenderId>();

  /** Senders of payments that made a batch fail, whose hints are not used any more. */
  get wrongHintsOf(): ReadonlySet<SenderId> {
    return this.#wrongHintsOf;
  }

  addWrongHintsOf(senderId: SenderId): void {
    this.#wrongHintsOf.add(senderId);
  }

  add(decoded: Decoded<AnyPayment>, key: P256PublicKey, payment: Verified<AnyPayment>): void {
    this.#proven.set(decoded, { key, payment });
  }

  /** @param key Of the certificate, which is verified by now: the very object, so nothing else is ever taken for it. */
  under<Content extends AnyPayment>(decoded: Decoded<Content>, key: P256PublicKey): Verified<Content> | undefined {
    const proven = this.#proven.get(decoded);
    return proven?.key === key ? (proven.payment as Verified<Content>) : undefined;
  }
}

/** From here on a batch is faster than its payments one by one. */
const LEAST_PAYMENTS = 8;
/** What is shared costs little by then, and one bad payment does not hold up more. */
const MOST_PAYMENTS = 512;
/** Batches of one job that may fail before the rest of it is verified one by one. */
const MOST_FAILURES = 16;
const DISTRUSTED_SENDERS = 1_000;

/**
 * Verifies payments many at a time, where terminals gave hints about their signatures. A hint is believed in nothing:
 * when a batch fails, its halves are tried, down to single payments, and what is not proven then is verified like
 * payments without hints. So a bad payment or a wrong hint changes no answer; it costs time, and hints of its sender are
 * not used again. Those of the senders beside it are: a batch holds payments of whoever uploaded just then.
 */
export class PaymentProver {
  readonly #batches: SignatureBatches;
  readonly #distrusted = new RecentCache<string, true>(DISTRUSTED_SENDERS);

  constructor(batches: SignatureBatches) {
    this.#batches = batches;
  }

  prove(records: readonly { readonly record: UploadedRecord; readonly decoded: DecodedRecord }[]): ProvenPayments {
    const proven = new ProvenPayments();
    const hinted: Hinted[] = [];
    for (const { record, decoded } of records) {
      if (decoded.kind === "void" || decoded.hint === undefined) continue;
      const { senderId } = record;
      if (this.#distrusted.get(senderId) !== undefined) continue;
      const key = decoded.certificate.unverified.deviceKey;
      hinted.push({ senderId, decoded: decoded.payment as Decoded<AnyPayment>, key, hint: decoded.hint });
    }
    const waiting: Hinted[][] = [];
    for (let start = 0; start < hinted.length; start += MOST_PAYMENTS)
      waiting.push(hinted.slice(start, start + MOST_PAYMENTS));
    let failures = 0;
    for (let batch = waiting.pop(); batch !== undefined && failures < MOST_FAILURES; batch = waiting.pop()) {
      const trusted = batch.filter(({ senderId }) => !proven.wrongHintsOf.has(senderId));
      if (trusted.length < LEAST_PAYMENTS || this.#areProven(trusted, proven)) continue;
      failures += 1;
      const half = Math.ceil(trusted.length / 2);
      if (half >= LEAST_PAYMENTS) waiting.push(trusted.slice(half), trusted.slice(0, half));
      else for (const each of trusted) if (!this.#areProven([each], proven)) this.#distrust(each.senderId, proven);
    }
    return proven;
  }

  #areProven(batch: readonly Hinted[], proven: ProvenPayments): boolean {
    const verified = verifyMessages(batch, this.#batches);
    for (const [index, payment] of verified?.entries() ?? []) {
      const of = batch[index];
      if (of !== undefined) proven.add(of.decoded, of.key, payment);
    }
    return verified !== undefined;
  }

  #distrust(senderId: SenderId, proven: ProvenPayments): void {
    this.#distrusted.set(senderId, true);
    proven.addWrongHintsOf(senderId);
  }
}
