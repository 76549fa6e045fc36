import type { SeededBug } from "../bug.ts";

const GUARD = "packages/issuer/src/settlement/guard-items.ts";
const REFUNDS = "packages/issuer/src/services/refunds.ts";
const PUBLISHER = "packages/issuer/src/lists/status-list-publisher.ts";
const INDEX = "packages/stores/src/issuer/sqlite/payment-index";

/** Of what still stands when a signing key is stolen, an insider writes, money is given back, or a file grows large. */
export const guardBugs: readonly SeededBug[] = [
  {
    name: "any-certificate-of-the-id",
    says: "A certificate that a stolen key signed for an honest payer's id, with the thief's key in it, spends that payer's money.",
    breaks: 4,
    search: "thieves of a signing key",
    edits: [
      {
        file: "packages/issuer/src/settlement/issued-here.ts",
        find: "if (issued === certificate.messageId) this.#issued.add(certificate);",
        replace: "if (issued !== undefined) this.#issued.add(certificate);",
      },
    ],
  },
  {
    name: "nobodys-till-credited",
    says: "A till that nobody enrolled is paid when its certificate was signed with a stolen key.",
    breaks: 5,
    search: "thieves of a signing key",
    edits: [
      {
        file: GUARD,
        find: 'if (standing.kind === "foreign") return recordFault("TERMINAL_NOT_OF_PAYEE");',
        replace: "",
      },
    ],
  },
  {
    name: "foreign-ceiling-believed",
    says: "A payee's ceiling is what a certificate of any issuer says of it.",
    breaks: 5,
    search: "thieves of a signing key",
    edits: [
      {
        file: GUARD,
        find: "word.perCertificateCapMinor <= standing.ceilingMinor)",
        replace: "word.perCertificateCapMinor > 0n)",
      },
    ],
  },
  {
    name: "forged-cancellation-believed",
    says: "A payer's cancellation or receipt counts although its payee's certificate was not issued here.",
    breaks: 2,
    search: "thieves of a signing key",
    edits: [
      {
        file: GUARD,
        find: 'if (item.broughtBy === "payer") return { ...item, payeeWord: undefined, voided: false };',
        replace: 'if (item.broughtBy === "payer") return item;',
      },
    ],
  },
  {
    name: "requests-signer-not-asked",
    says: "Whoever has a till enrolled brings another till's requests in its own name.",
    breaks: 4,
    search: "thieves of a signing key",
    edits: [
      {
        file: GUARD,
        find: "return isRefusal(verified) ? faultOf(verified) : undefined;",
        replace: "return isRefusal(verified) && request === undefined ? faultOf(verified) : undefined;",
      },
    ],
  },
  {
    name: "withdrawn-key-leaves-certificates",
    says: "Withdrawing an issuer key leaves the certificates that it signed in use.",
    breaks: 5,
    search: "thieves of a signing key",
    edits: [
      {
        file: "packages/issuer/src/services/key-withdrawal.ts",
        find: "if (signedBy(certificate, context) !== keyId) continue;",
        replace: "if (signedBy(certificate, context) === keyId) continue;",
      },
    ],
  },
  {
    name: "entry-without-seal-believed",
    says: "An entry that somebody wrote into the database by hand is taken for one from before sealing began.",
    breaks: 1,
    search: "insider at the database",
    edits: [
      {
        file: "packages/issuer/src/services/audit-seals.ts",
        find: "else if (seal !== undefined || entryId > (this.#beginnings.get(partition) ?? 0))",
        replace: "else if (seal !== undefined && entryId > (this.#beginnings.get(partition) ?? 0))",
      },
    ],
  },
  {
    name: "seal-of-the-name-alone",
    says: "The seal of an entry covers what it is called and not what it posts.",
    breaks: 1,
    search: "insider at the database",
    edits: [
      {
        file: "packages/stores/src/issuer/ledger-text.ts",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text.
        find: '"${currency}",${postedAt},${postings}]`;\n}\n\n/** A buffer',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text.
        replace: '"${currency}",${postedAt},${postings.length < 0}]`;\n}\n\n/** A buffer',
      },
    ],
  },
  {
    name: "before-sealing-rewritten",
    says: "Nobody looks whether the entries from before sealing began are what they were.",
    breaks: 1,
    search: "insider at the database",
    edits: [
      {
        file: "packages/issuer/src/services/audit-seals.ts",
        find: "for (const { partition, entryId } of missing)",
        replace: "for (const { partition, entryId } of missing.slice(missing.length))",
      },
    ],
  },
  {
    name: "withdrawals-counted",
    says: "A list of withdrawn certificates is taken for the one before as long as as many are withdrawn.",
    breaks: 5,
    search: "status lists at random",
    edits: [
      {
        file: PUBLISHER,
        find: "left.revoked.every((index, place) => index === right.revoked[place])",
        replace: "left.revoked.every((index) => index >= 0)",
      },
    ],
  },
  {
    name: "withdrawal-waits-for-the-date",
    says: "A withdrawal that this server knows of is listed only when the list would have been signed anew anyway.",
    breaks: 5,
    search: "status lists at random",
    edits: [
      {
        file: PUBLISHER,
        find: "!this.#stale &&\n      now - this.#lookedAt",
        replace: "now - this.#lookedAt",
      },
    ],
  },
  {
    name: "looked-at-is-signed",
    says: "A list that was looked at a moment ago is handed out however long ago it was signed.",
    breaks: 6,
    search: "status lists at random",
    edits: [
      { file: PUBLISHER, find: "now - (list?.content.issuedAt ?? 0) < RESIGN_AFTER_SECONDS;", replace: "now > 0;" },
    ],
  },
  {
    name: "each-refund-by-itself",
    says: "A refund is held against the payment, not against what is left of it after other refunds.",
    breaks: 1,
    search: "simulated economies",
    edits: [
      {
        file: REFUNDS,
        find: "if (sumOf(refunds) + amountMinor > takenMinor)",
        replace: "if (amountMinor > takenMinor)",
      },
    ],
  },
  {
    name: "refund-pressed-twice",
    says: "A refund whose button is pressed twice is given twice.",
    breaks: 1,
    search: "simulated economies",
    edits: [
      {
        file: REFUNDS,
        find: "const earlier = refunds.find((each) => each.key === key);",
        replace: "const earlier = refunds.find((each) => each.key === key && each.at < 0);",
      },
    ],
  },
  {
    name: "undone-numbers-written",
    says: "A sorted run is said to hold the numbers of records that were undone: given again, they are never found, and are paid twice.",
    breaks: 2,
    search: "payment index at random",
    edits: [
      {
        file: `${INDEX}/payment-index.ts`,
        find: 'const upTo = row === undefined ? 0 : number(row, "newest");',
        replace: "const upTo = row === undefined ? 0 : Math.max(...this.#recent.sorted().inboxIds);",
      },
    ],
  },
  {
    name: "merge-goes-on-behind-the-key",
    says: "A merge that is taken up again leaves out the other records of the key at which it stopped.",
    breaks: 2,
    search: "payment index at random",
    edits: [
      {
        file: `${INDEX}/merge.ts`,
        find: "while (this.key < key || (this.key === key && this.inboxId <= inboxId));",
        replace: "while (this.key <= key && inboxId >= 0);",
      },
    ],
  },
  {
    name: "first-page-of-a-key",
    says: "Of the records of one key only those on the first of its pages are found.",
    breaks: 2,
    search: "payment index at random",
    edits: [
      {
        file: `${INDEX}/run.ts`,
        find: "if ((segment.firstKeys[page] ?? 0) > key) break;",
        replace: "if ((segment.firstKeys[page] ?? 0) >= key && page > 0) break;",
      },
    ],
  },
];
