import type { SeededBug } from "../bug.ts";

/** Of the issuer: settling and issuing. */
export const issuerBugs: readonly SeededBug[] = [
  {
    name: "settled-twice",
    says: "A payment that is settled is judged again when it is uploaded again.",
    breaks: 2,
    search: "settlement at random",
    edits: [
      {
        file: "packages/settle/src/settle.ts",
        find: "if (known !== undefined) return settleAgain(known, item, sheet, batch);",
        replace: 'if (known !== undefined && known.state !== "settled") return settleAgain(known, item, sheet, batch);',
      },
    ],
  },
  {
    name: "one-sided-posting",
    says: "What the credit line gives is credited to the payee and debited nowhere.",
    breaks: 1,
    search: "settlement at random",
    edits: [
      {
        file: "packages/settle/src/funding.ts",
        find: "postings.push({ ledgerAccount: accounts.credit, minor: funding.creditMinor });",
        replace: "postings.length += 0;",
      },
    ],
  },
  {
    name: "balance-spent-twice-in-a-batch",
    says: "Two payments of one batch are funded from the same balance.",
    breaks: 1,
    search: "settlement at random",
    edits: [
      {
        file: "packages/settle/src/batch.ts",
        find: "payer.balanceMinor -= funding.balanceMinor;",
        replace: "payer.balanceMinor -= 0n;",
      },
    ],
  },
  {
    name: "credit-without-end",
    says: "The credit line gives more than is left of it.",
    breaks: 1,
    search: "model stories",
    edits: [
      {
        file: "packages/settle/src/funding.ts",
        find: "const creditMinor = smaller(takenMinor - balanceMinor, funds.creditAvailableMinor);",
        replace: "const creditMinor = funds.creditAvailableMinor > 0n ? takenMinor - balanceMinor : 0n;",
      },
    ],
  },
  {
    name: "payers-copy-settles",
    says: "A payer's own copy, without the payee's word, is paid.",
    breaks: 2,
    search: "model stories",
    edits: [
      {
        file: "packages/settle/src/judge.ts",
        find: 'if (word === undefined) return { state: "pending", code: undefined };',
        replace: "if (word === undefined) return SETTLED;",
      },
    ],
  },
  {
    name: "every-capture-paid",
    says: "A second capture of an open payment is paid as well.",
    breaks: 2,
    search: "model stories",
    edits: [
      {
        file: "packages/settle/src/settle.ts",
        find: 'return keepBeside(known, item, { ...claimOf(word), state: "held", code: "OPEN_PAYMENT_CAPTURED_ELSEWHERE" }, sheet);',
        replace: "return decide(item, batch.judge(item, sheet), sheet, batch, known);",
      },
    ],
  },
  {
    name: "deadline-forgotten",
    says: "An upload after the deadline is paid although the money may have been promised anew.",
    breaks: 5,
    search: "model stories",
    edits: [
      {
        file: "packages/settle/src/judge.ts",
        find: "return item.receivedAt > certificate.expiresAt + policy.uploadDeadlineSeconds ?",
        replace: "return item.receivedAt > certificate.expiresAt + 1_000 * policy.uploadDeadlineSeconds ?",
      },
    ],
  },
  {
    name: "revoked-at-once",
    says: "A payment taken while the terminal could not yet know of the revocation is refused.",
    breaks: 6,
    search: "model stories",
    edits: [
      {
        file: "packages/settle/src/judge.ts",
        find: "word.acceptedAt <= revokedAt + word.maximumOfflineSeconds",
        replace: "word.acceptedAt <= revokedAt",
      },
    ],
  },
  {
    name: "no-ceiling",
    says: "In a conflict a payee is paid without regard to its ceiling.",
    breaks: 5,
    search: "model stories",
    edits: [
      {
        file: "packages/settle/src/judge.ts",
        find: "creditedToPayeeMinor + word.takenMinor <= word.perCertificateCapMinor",
        replace: "word.takenMinor <= word.perCertificateCapMinor",
      },
    ],
  },
  {
    name: "conflict-without-proof",
    says: "A payment that contradicts an earlier one is paid and nobody keeps the proof.",
    breaks: 5,
    search: "settlement at random",
    edits: [
      {
        file: "packages/settle/src/batch.ts",
        find: "    this.#conflicts.push(proof);\n",
        replace: '    if (proof.kind !== "two-payments") this.#conflicts.push(proof);\n',
      },
    ],
  },
  {
    name: "gap-blamed",
    says: "A payer whose payments arrive out of order is taken for two devices.",
    breaks: 3,
    search: "settlement at random",
    edits: [
      {
        file: "packages/settle/src/chain.ts",
        find: "if (later.sequence !== earlier.sequence + 1) return false;",
        replace: "if (later.sequence === earlier.sequence) return false;",
      },
    ],
  },
  {
    name: "void-forgotten",
    says: "A payment whose request the payee voided is paid.",
    breaks: 4,
    search: "model stories",
    edits: [
      {
        file: "packages/settle/src/batch.ts",
        find: "if (item.voided || voidedRequests.size === 0) return item.voided;",
        replace: "if (voidedRequests.size >= 0) return item.voided && item.requestHash === undefined;",
      },
    ],
  },
  {
    name: "closing-believed",
    says: "A closing frees the unspent rest at once, however badly the key is guarded.",
    breaks: 5,
    search: "issuing interleavings",
    edits: [
      {
        file: "packages/issue/src/exposure.ts",
        find: "return pendingMinor + (unspentMinor * waitingPercent + 99n) / 100n;",
        replace: "return waitingPercent < 0n ? unspentMinor : 0n;",
      },
    ],
  },
  {
    name: "open-certificates-not-counted",
    says: "A new limit is worked out as if certificates still out could not be spent.",
    breaks: 5,
    search: "issuing interleavings",
    edits: [
      {
        file: "packages/issue/src/exposure.ts",
        find: "if (closing === undefined) return atLeastZero(limitMinor - settledMinor);",
        replace: "if (closing === undefined) return atLeastZero(settledMinor - limitMinor);",
      },
    ],
  },
];
