import type { SeededBug } from "../bug.ts";

/** At the edges of times, amounts and promises: found where everything is tried, seldom by chance. */
export const edgeBugs: readonly SeededBug[] = [
  {
    name: "deadline-second-early",
    says: "An upload in the last second before the deadline is held as too late.",
    breaks: 2,
    search: "small world: expiry",
    edits: [
      {
        file: "packages/settle/src/judge.ts",
        find: "return item.receivedAt > certificate.expiresAt",
        replace: "return item.receivedAt >= certificate.expiresAt",
      },
    ],
  },
  {
    name: "revoked-second-early",
    says: "What a terminal accepted at the very end of the time its lists may be old is refused.",
    breaks: 6,
    search: "small world: lists",
    edits: [
      {
        file: "packages/settle/src/judge.ts",
        find: "word.acceptedAt <= revokedAt + word.maximumOfflineSeconds",
        replace: "word.acceptedAt < revokedAt + word.maximumOfflineSeconds",
      },
    ],
  },
  {
    name: "stale-list-trusted",
    says: "A terminal never asks how old its status list is.",
    breaks: 6,
    search: "small world: lists",
    edits: [
      {
        file: "packages/collect/src/acceptance-checks.ts",
        find: "return refuseHeldStatusList(setup.statusList.content, payee.terms, now);",
        replace: "return undefined;",
      },
    ],
  },
  {
    name: "payers-clock-believed",
    says: "A gate judges an open payment's minute by the payer's clock.",
    breaks: 6,
    search: "small world: gates",
    edits: [
      {
        file: "packages/collect/src/decide-open-acceptance.ts",
        find: "refuseOpenPayment({ certificate, payment: link, payeeCertificate: payee }, now)",
        replace: "refuseOpenPayment({ certificate, payment: link, payeeCertificate: payee }, link.issuedAt)",
      },
    ],
  },
  {
    name: "capture-over-maximum",
    says: "The server pays a capture of more than was signed for.",
    breaks: 4,
    search: "small world: gates",
    edits: [
      {
        file: "packages/messages/src/rules.ts",
        find: 'if (capture.amountMinor > payment.amountMinor) return refusal("CAPTURE_OVER_MAXIMUM");',
        replace: "",
      },
    ],
  },
  {
    name: "till-captures-over-maximum",
    says: "A gate captures more than the maximum, which the server then refuses.",
    breaks: 6,
    search: "small world: gates",
    edits: [
      {
        file: "packages/collect/src/decide-capture.ts",
        find: 'if (amountMinor > maximumMinor) return refusal("CAPTURE_OVER_MAXIMUM");',
        replace: "",
      },
    ],
  },
  {
    name: "accepted-after-void",
    says: "A terminal accepts a payment for a request that it has given up.",
    breaks: 4,
    search: "small world: voids",
    edits: [
      {
        file: "packages/collect/src/decide-acceptance.ts",
        find: 'if (record.voidedAt !== undefined) return refusal("REQUEST_VOIDED");',
        replace: "",
      },
    ],
  },
  {
    name: "void-takes-back-settled",
    says: "A void that comes after the payment was settled gives it back, and the posting stays.",
    breaks: 2,
    search: "small world: voids",
    edits: [
      {
        file: "packages/settle/src/settle.ts",
        find: 'if (known.state === "settled") {',
        replace: 'if (known.state === "settled" && !batch.isVoided(item)) {',
      },
    ],
  },
  {
    name: "paid-after-closing",
    says: "A wallet goes on paying with a certificate that it has closed.",
    breaks: 3,
    search: "small world: renewal",
    edits: [
      {
        file: "packages/pay/src/choose-certificate.ts",
        find: "const open = held.filter(({ closed }) => !closed);",
        replace: "const open = held;",
      },
    ],
  },
  {
    name: "held-money-drawn",
    says: "Money that is held for certificates can be drawn.",
    breaks: 5,
    search: "small world: renewal",
    edits: [
      {
        file: "packages/settle/src/online-money.ts",
        find: "const ownMinor = balanceMinor > heldMinor ? balanceMinor - heldMinor : 0n;",
        replace: "const ownMinor = balanceMinor;",
      },
    ],
  },
  {
    name: "closing-frees-the-pending",
    says: "A closing frees also what was spent and has not arrived yet.",
    breaks: 5,
    search: "small world: renewal",
    edits: [
      {
        file: "packages/issue/src/exposure.ts",
        find: "const pendingMinor = atLeastZero(spentMinor - settledMinor - releasedMinor);",
        replace: "const pendingMinor = atLeastZero(spentMinor - settledMinor - releasedMinor) * 0n;",
      },
    ],
  },
  {
    name: "exposure-ends-at-expiry",
    says: "A certificate no longer counts once it has expired, although its payments may still be uploaded.",
    breaks: 5,
    search: "small world: renewal",
    edits: [
      {
        file: "packages/issue/src/exposure.ts",
        find: "if (now > certificate.expiresAt + policy.uploadDeadlineSeconds) return 0n;",
        replace: "if (now > certificate.expiresAt) return 0n;",
      },
    ],
  },
  {
    name: "closing-by-number-alone",
    says: "A payment beyond the closing's running total is no contradiction as long as its number is not.",
    breaks: 5,
    search: "small world: false closing",
    edits: [
      {
        file: "packages/messages/src/rules.ts",
        find: "return link.sequence > closing.sequence || link.spentMinor > closing.spentMinor;",
        replace: "return link.sequence > closing.sequence;",
      },
    ],
  },
  {
    name: "ceiling-of-each-till",
    says: "The ceiling of a payee is counted for each of its tills.",
    breaks: 5,
    search: "small world: key-out",
    edits: [
      {
        file: "packages/settle/src/judge.ts",
        find: "if (credited.claim?.payeeId === word.payeeId) creditedToPayeeMinor",
        replace: "if (credited.claim?.terminalId === word.terminalId) creditedToPayeeMinor",
      },
    ],
  },
  {
    name: "neighbour-behind-forgotten",
    says: "A payment is compared with the one before it alone: what arrives out of order proves nothing.",
    breaks: 5,
    search: "small world: copied",
    edits: [
      {
        file: "packages/settle/src/chain.ts",
        find: 'if (later !== undefined && !follows(payment, later)) return { member: later, kind: "two-payments" };',
        replace: "",
      },
    ],
  },
  {
    name: "stopped-payment-forgotten",
    says: "A wallet that was stopped before it signed makes another payment for the same request.",
    breaks: 4,
    search: "small world: honest",
    edits: [
      {
        file: "packages/pay/src/decide-payment.ts",
        find: 'if (earlier !== undefined) return { kind: "repeat", paymentId: earlier.paymentId };',
        replace: "",
      },
    ],
  },
  {
    name: "surrogates-read",
    says: "UTF-8 that stands for half a character is read as text.",
    breaks: 7,
    search: "every short string of bytes",
    edits: [
      {
        file: "packages/cose/src/utf8.ts",
        find: "(code < 0x800 || (code >= 0xd800 && code <= 0xdfff))",
        replace: "code < 0x800",
      },
    ],
  },
];
