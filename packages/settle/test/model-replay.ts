import { publicKeyFromPoint } from "@cairn/cose";
import {
  areCompatible,
  type ChainLink,
  chainHashOf,
  type MessageId,
  type OpenPayment,
  type PayeeCertificate,
  type PayeeCertificateId,
  type PaymentRequest,
  type Refusal,
  type RequestNonce,
  refuseCapturedPayment,
  refuseChainLink,
  refuseTwoWayPayment,
  refuseUserCertificate,
  requestHashOf,
  type UserCertificate,
} from "@cairn/messages";
import { judgeClosing, type PayeeWord, type SettlementItem } from "@cairn/settle";
import {
  anItem,
  aWord,
  certificateId,
  DAY,
  EUR,
  messageId,
  NOW,
  POLICY,
  payeeId,
  ROOT_LINK,
  terminalId,
  World,
} from "./world.ts";

/** Stories of docs/spec/model, told to the real code. Their unit of time is the upload deadline, of money a coin. */
export type ModelPayment = {
  readonly certificate: number;
  readonly sequence: number;
  readonly spent: number;
  readonly amount: number;
  /** Its own number stands for its hash, 0 for the certificate's. */
  readonly number: number;
  readonly previous: number;
  /** 0: an open payment. */
  readonly request: number;
  readonly terminal: string;
  readonly requestedAt: number;
  readonly signedAt: number;
};
export type ModelCall = {
  readonly name: "settle" | "closing" | "void" | "release" | "issue" | "revoke";
  readonly now: number;
  readonly certificate: number;
  readonly sequence: number;
  readonly amount: number;
  readonly record?: {
    readonly payment: ModelPayment;
    readonly word: { readonly terminal: string; readonly at: number; readonly taken: number };
    readonly hasWord: boolean;
    readonly voided: boolean;
    readonly by: "terminal" | "payer";
  };
  readonly rivals?: readonly number[];
  readonly answer: ModelAnswer;
  readonly books: { readonly balance: number; readonly credit: number; readonly loss: number };
};
type ModelAnswer = {
  readonly state: string;
  readonly why: string;
  readonly taken: number;
  readonly repeated: boolean;
  readonly conflict: boolean;
};
/** What a call came to, in the model's words. */
export type Told = {
  readonly answer: ModelAnswer;
  readonly rivals: readonly number[];
  readonly books: ModelCall["books"];
};

const UNIT_SECONDS = POLICY.uploadDeadlineSeconds;
/** The numbers of rules.qnt. */
const BALANCE = 2n;
const CREDIT_LINE = 1n;
const FIRST_LIMIT = 3;
const VALIDITY = 2;
const CEILING = 2n;
const MAXIMUM_OFFLINE = 1;

const timeOf = (day: number): number => NOW + day * UNIT_SECONDS;
const linkOf = (number: number) => (number === 0 ? ROOT_LINK : chainHashOf(messageId(number)));
const requestIdOf = (number: number): MessageId => messageId(0xffff_0000 + number);
const terminalNumber = (name: string): number => Number(name.slice(1));
const isOpen = (payment: ModelPayment): boolean => payment.request === 0;
/** Signatures were checked before: no key is looked at. */
const NO_KEY = publicKeyFromPoint(new Uint8Array(33).fill(2));
const ANSWERED: ModelAnswer = { state: "", why: "", taken: 0, repeated: false, conflict: false };

export class Replay {
  readonly #world = new World({ balanceMinor: BALANCE, creditMinor: CREDIT_LINE, certificates: [] });

  constructor() {
    this.#issue(1, { limit: FIRST_LIMIT, now: 0 });
  }

  /** Puts one question of the story to the real code. */
  tell(call: ModelCall): Told {
    const rivals = call.record === undefined ? [] : this.#rivalsOf(call.record.payment);
    const answer = this.#answer(call);
    const funds = this.#world.funds.values().next().value;
    const books = {
      balance: Number(funds?.balanceMinor),
      credit: Number(CREDIT_LINE - (funds?.creditAvailableMinor ?? 0n)),
      loss: Number(this.#world.total("loss-reserve")),
    };
    return { answer, rivals, books };
  }

  #answer(call: ModelCall): ModelAnswer {
    const now = timeOf(call.now);
    switch (call.name) {
      case "settle":
        return this.#settle(call);
      case "issue":
        this.#issue(call.certificate, { limit: call.amount, now: call.now });
        return ANSWERED;
      case "revoke":
        this.#world.change({ revokedAt: now }, call.certificate);
        return ANSWERED;
      case "void":
        this.#world.voidedRequests.add(requestHashOf(requestIdOf(call.amount)));
        return ANSWERED;
      case "release":
        this.#release(call.certificate, now);
        return ANSWERED;
      case "closing": {
        const certificate = this.#world.certificate(call.certificate);
        const spentMinor = BigInt(call.amount);
        const closing = {
          sequence: call.sequence,
          spentMinor,
          messageId: messageId(0xfff0_0000 + 16 * call.sequence + call.amount),
        };
        const { conflict } = judgeClosing(certificate, closing, now);
        const blamed = conflict === undefined ? {} : { conflict, revokedAt: certificate.revokedAt ?? now };
        this.#world.change({ closing: certificate.closing ?? closing, ...blamed }, call.certificate);
        return { ...ANSWERED, conflict: conflict !== undefined };
      }
    }
  }

  #settle({ record, now }: ModelCall): ModelAnswer {
    if (record === undefined) throw new Error("Nothing to settle.");
    const result = this.#world.settle([itemOf(record, this.#termsOf(record.payment), now)], timeOf(now));
    const [outcome] = result.outcomes;
    if (outcome === undefined) throw new Error("An item must have an outcome.");
    return {
      state: outcome.state,
      why: outcome.code ?? "",
      taken: Number(outcome.takenMinor),
      repeated: outcome.repeated,
      conflict: result.conflicts.length > 0,
    };
  }

  /** As a store does it: what is pending past its deadline or for a voided request goes back. */
  #release(number: number, now: number): void {
    const { payments, expiresAt } = this.#world.certificate(number);
    const released = payments.map((payment) => {
      const isVoided = payment.requestHash !== undefined && this.#world.voidedRequests.has(payment.requestHash);
      if (payment.state !== "pending" || (now <= expiresAt + POLICY.uploadDeadlineSeconds && !isVoided)) return payment;
      return { ...payment, state: "released", code: isVoided ? "REQUEST_VOIDED" : "NOT_UPLOADED_IN_TIME" } as const;
    });
    this.#world.change({ payments: released }, number);
  }

  #issue(number: number, { limit, now }: { readonly limit: number; readonly now: number }): void {
    const [issued] = new World({
      certificates: [
        {
          certificateId: certificateId(number),
          limitMinor: BigInt(limit),
          issuedAt: timeOf(now),
          expiresAt: timeOf(now + VALIDITY),
        },
      ],
    }).certificates.values();
    if (issued !== undefined) this.#world.certificates.set(issued.certificateId, issued);
  }

  #rivalsOf(payment: ModelPayment): number[] {
    const position = positionOf(payment);
    return this.#world
      .certificate(payment.certificate)
      .payments.filter((known) => known.paymentId !== messageId(payment.number) && !areCompatible(known, position))
      .map((known) => Number.parseInt(known.paymentId.slice(0, 16), 16))
      .sort((left, right) => left - right);
  }

  #termsOf(payment: ModelPayment): UserCertificate {
    const { issuedAt, expiresAt, limitMinor, certificateId: id } = this.#world.certificate(payment.certificate);
    return {
      issuerKeyId: "00000000" as UserCertificate["issuerKeyId"],
      certificateId: id,
      deviceKey: NO_KEY,
      issuedAt,
      expiresAt,
      terms: { currency: EUR, limitMinor, perPaymentCapMinor: limitMinor + 3n, protection: 2, statusIndex: 0 },
    };
  }
}

function positionOf(payment: ModelPayment) {
  const { sequence, spent, amount } = payment;
  return { sequence, spentMinor: BigInt(spent), amountMinor: BigInt(amount) };
}

function linkFor(payment: ModelPayment): ChainLink {
  return {
    ...positionOf(payment),
    certificateId: certificateId(payment.certificate),
    previous: linkOf(payment.previous),
    issuedAt: timeOf(payment.signedAt),
  };
}

/** What the issuer's server makes of a record once its signatures are verified. */
function itemOf(record: NonNullable<ModelCall["record"]>, certificate: UserCertificate, now: number): SettlementItem {
  const { payment, word, hasWord } = record;
  const terminal = terminalNumber(isOpen(payment) ? word.terminal : payment.terminal);
  const payeeWord: PayeeWord = aWord({
    // Two tills of one payee, one of another.
    payeeId: payeeId(terminal === 3 ? 2 : 1),
    terminalId: terminalId(terminal),
    perCertificateCapMinor: CEILING,
    maximumOfflineSeconds: MAXIMUM_OFFLINE * UNIT_SECONDS,
    acceptedAt: timeOf(word.at),
    takenMinor: BigInt(word.taken),
  });
  return anItem({
    ...linkFor(payment),
    paymentId: messageId(payment.number),
    kind: isOpen(payment) ? "open-payment" : "payment",
    requestHash: isOpen(payment) ? undefined : requestHashOf(requestIdOf(payment.request)),
    receivedAt: timeOf(now),
    broughtBy: record.by,
    payeeWord: hasWord ? payeeWord : undefined,
    voided: record.voided,
    refusal: isOpen(payment)
      ? refuseOpen(payment, certificate, hasWord ? payeeWord : undefined)
      : refuseTwoWay(payment, certificate),
  });
}

const PAYEE: PayeeCertificate = {
  issuerKeyId: "00000000" as PayeeCertificate["issuerKeyId"],
  payeeCertificateId: "00".repeat(8) as PayeeCertificateId,
  payeeId: payeeId(1),
  terminalKey: NO_KEY,
  issuedAt: NOW - DAY,
  expiresAt: NOW + 100 * UNIT_SECONDS,
  terms: {
    name: "Till",
    currency: EUR,
    perPaymentCapMinor: 100n,
    storedTotalCapMinor: 100n,
    perCertificateCapMinor: CEILING,
    maximumOfflineSeconds: MAXIMUM_OFFLINE * UNIT_SECONDS,
  },
};

function refuseTwoWay(payment: ModelPayment, certificate: UserCertificate): Refusal | undefined {
  const requestId = requestIdOf(payment.request);
  const issuedAt = timeOf(payment.requestedAt);
  const request: PaymentRequest = {
    payeeCertificateId: PAYEE.payeeCertificateId,
    amountMinor: BigInt(payment.amount),
    currency: EUR,
    nonce: "00".repeat(8) as RequestNonce,
    issuedAt,
    expiresAt: issuedAt + 60,
  };
  const signed = { ...linkFor(payment), requestHash: requestHashOf(requestId) };
  return refuseTwoWayPayment({ certificate, payment: signed, payeeCertificate: PAYEE, request, requestId });
}

function refuseOpen(
  payment: ModelPayment,
  certificate: UserCertificate,
  word: PayeeWord | undefined,
): Refusal | undefined {
  const link = linkFor(payment);
  const itself = refuseUserCertificate(certificate, link.issuedAt) ?? refuseChainLink(certificate, link);
  if (word === undefined || itself !== undefined) return itself;
  const paymentId = messageId(payment.number);
  const open: OpenPayment = { ...link, expiresAt: link.issuedAt + 60 };
  const { payeeCertificateId } = PAYEE;
  const capture = { payeeCertificateId, paymentId, issuedAt: word.acceptedAt, amountMinor: word.takenMinor };
  return refuseCapturedPayment({ certificate, payment: open, paymentId, payeeCertificate: PAYEE, capture });
}
