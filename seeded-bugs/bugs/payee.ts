import type { SeededBug } from "../bug.ts";

/** Of the terminal, and of the rules that it shares with wallet and server. */
export const payeeBugs: readonly SeededBug[] = [
  {
    name: "limit-forgotten",
    says: "Nobody compares the running total with the certificate's limit.",
    breaks: 5,
    search: "terminal at random and crashes",
    edits: [
      {
        file: "packages/messages/src/rules.ts",
        find: 'if (link.spentMinor > certificate.terms.limitMinor) return refusal("LIMIT_EXCEEDED");',
        replace: "",
      },
    ],
  },
  {
    name: "replay-accepted",
    says: "A terminal takes the same payment code a second time.",
    breaks: 2,
    search: "terminal at random and crashes",
    edits: [
      {
        file: "packages/collect/src/decide-open-acceptance.ts",
        find: "if (view.earlier !== undefined) return replayOf(view.earlier);",
        replace: "",
      },
      {
        file: "packages/collect/src/acceptance-checks.ts",
        find: "if (view.newest !== undefined && !follows(view.newest, link))",
        replace: "if (view.newest !== undefined && view.newest.sequence > link.sequence)",
      },
    ],
  },
  {
    name: "request-paid-by-two",
    says: "A terminal takes a second payment for a request that is paid.",
    breaks: 4,
    search: "terminal at random and crashes",
    edits: [
      {
        file: "packages/collect/src/decide-acceptance.ts",
        find: 'return record.paidBy === undefined ? undefined : refusal("REQUEST_ALREADY_PAID");',
        replace: "return undefined;",
      },
    ],
  },
  {
    name: "journal-ignored",
    says: "A terminal does not compare a payment with the newest one that it accepted of the certificate.",
    breaks: 5,
    search: "terminal at random and crashes",
    edits: [
      {
        file: "packages/collect/src/acceptance-checks.ts",
        find: 'if (view.newest !== undefined && !follows(view.newest, link)) return refusal("SEQUENCE_CONFLICT");',
        replace: "",
      },
    ],
  },
  {
    name: "same-number-only",
    says: "The conflict rule looks for equal sequence numbers and forgets the running totals.",
    breaks: 5,
    search: "settlement at random",
    edits: [
      {
        file: "packages/messages/src/rules.ts",
        find: "return earlier.sequence < later.sequence && earlier.spentMinor + later.amountMinor <= later.spentMinor;",
        replace: "return earlier.sequence < later.sequence;",
      },
    ],
  },
  {
    name: "total-may-stand-still",
    says: "The conflict rule is off by the amount of the later payment.",
    breaks: 5,
    search: "settlement at random",
    edits: [
      {
        file: "packages/messages/src/rules.ts",
        find: "earlier.spentMinor + later.amountMinor <= later.spentMinor;",
        replace: "earlier.spentMinor <= later.spentMinor;",
      },
    ],
  },
  {
    name: "void-of-paid-request",
    says: "A terminal voids a request that is already paid.",
    breaks: 2,
    search: "terminal at random and crashes",
    edits: [
      {
        file: "packages/collect/src/decide-void.ts",
        find: 'if (request.paidBy !== undefined) return { result: { kind: "refused", refusal: refusal("REQUEST_ALREADY_PAID") } };',
        replace: "",
      },
    ],
  },
  {
    name: "amount-not-compared",
    says: "Nobody compares the payment's amount with the one that was asked for.",
    breaks: 4,
    search: "every field at its bounds, every vector",
    edits: [
      {
        file: "packages/messages/src/rules.ts",
        find: 'return payment.amountMinor === request.amountMinor ? undefined : refusal("AMOUNT_MISMATCH");',
        replace: 'return payment.amountMinor <= request.amountMinor ? undefined : refusal("AMOUNT_MISMATCH");',
      },
    ],
  },
  {
    name: "any-audience",
    says: "An open payment that names its payee can be captured by any other.",
    breaks: 4,
    search: "every field at its bounds, every vector",
    edits: [
      {
        file: "packages/messages/src/rules.ts",
        find: "if (payment.audience !== undefined && payment.audience !== payeeCertificate.payeeId)",
        replace: "if (payment.audience !== undefined && payment.audience.length !== payeeCertificate.payeeId.length)",
      },
    ],
  },
  {
    name: "list-rollback",
    says: "An older list replaces a newer one.",
    breaks: 5,
    search: "every field at its bounds, every vector",
    edits: [
      {
        file: "packages/messages/src/status-list.ts",
        find: "if (held !== undefined && offered.content.issuedAt < held.content.issuedAt)",
        replace: "if (held !== undefined && offered.content.issuedAt > held.content.issuedAt + 31_536_000)",
      },
    ],
  },
];
