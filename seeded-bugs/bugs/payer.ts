import type { SeededBug } from "../bug.ts";

/** Of the wallet. */
export const payerBugs: readonly SeededBug[] = [
  {
    name: "signature-leaves-first",
    says: "The signed payment is handed out before the store holds it.",
    breaks: 3,
    search: "wallet interleavings and crashes",
    edits: [
      {
        file: "packages/pay/src/show-payment.ts",
        find: "  const signed = await signatureFor(ports, durable);\n  return commitWallet(",
        replace:
          "  const signed = await signatureFor(ports, { ...durable, signed: undefined });\n  return commitWallet(",
      },
      {
        file: "packages/pay/src/show-payment.ts",
        find: "const shown = shownPayment(wallet, current, current.signed ?? signed);\n    const writes: WalletWrite[] = current.signed === undefined ?",
        replace:
          "const shown = shownPayment(wallet, current, signed);\n    const writes: WalletWrite[] = current.signed === null ?",
      },
    ],
  },
  {
    name: "request-paid-twice",
    says: "Asked again, the wallet makes a second payment for the same request.",
    breaks: 4,
    search: "wallet interleavings and crashes",
    edits: [
      {
        file: "packages/pay/src/decide-payment.ts",
        find: 'if (earlier !== undefined) return { kind: "repeat", paymentId: earlier.paymentId };',
        replace: "",
      },
    ],
  },
  {
    name: "total-forgets-open-payments",
    says: "An open payment does not count in the running total until it is captured.",
    breaks: 3,
    search: "wallet interleavings and crashes",
    edits: [
      {
        file: "packages/pay/src/decide-open-payment.ts",
        find: "spentMinor: counter.spentMinor + amountMinor,",
        replace: "spentMinor: counter.spentMinor === 0n ? amountMinor : counter.spentMinor,",
      },
    ],
  },
  {
    name: "closing-before-signature",
    says: "The wallet closes a certificate while a durable payment still waits for its signature.",
    breaks: 3,
    search: "wallet interleavings and crashes",
    edits: [
      {
        file: "packages/pay/src/decide-closing.ts",
        find: 'if (counter.unsignedPayments > 0) return { kind: "keep", because: "unsigned" };',
        replace: "",
      },
    ],
  },
  {
    name: "consent-ignores-amount",
    says: "What was agreed to is compared with the request by payee and id, no longer by amount.",
    breaks: 4,
    search: "wallet interleavings and crashes",
    edits: [
      {
        file: "packages/pay/src/decide-payment.ts",
        find: "    consent.amountMinor === request.amountMinor\n",
        replace: "    consent.amountMinor > 0n\n",
      },
    ],
  },
];
