import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import {
  currency,
  expectCode,
  KEY_USE,
  readCode,
  restoreVerified,
  type TrustedKey,
  trustList,
  writeCode,
} from "@cairn/messages";
import {
  chargeFor,
  codeOf,
  crypto,
  DAY,
  makeIssuer,
  makePayer,
  makeTerminal,
  NOW,
  offered,
  replaceStatusList,
  type TerminalWorld,
} from "./world.ts";

const issuer = makeIssuer();

test("refuses what is no payment code, each with its reason", async () => {
  const { terminal } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const asked = await chargeFor(terminal, 100n);
  const { codeText, signed } = await payer.pay(asked.codeText);
  const certificate = payer.certificate.bytes;
  const with_ = (message: Uint8Array, by = certificate) => writeCode({ type: "payment", certificate: by, message });
  const cases: [string, string][] = [
    ["", "CODE_PREFIX_UNKNOWN"],
    ["https://example.org", "CODE_PREFIX_UNKNOWN"],
    [codeText.replace("CAIRN:1", "CAIRN:2"), "CODE_VERSION_UNKNOWN"],
    [codeText.replace("CAIRN:1P", "CAIRN:1X"), "CODE_TYPE_UNKNOWN"],
    [asked.codeText, "CODE_TYPE_UNEXPECTED"],
    [codeText.replace("CAIRN:1P", "CAIRN:1O"), "CODE_TYPE_UNEXPECTED"],
    [`${codeText.slice(0, 40)}a`, "CODE_TEXT_INVALID"],
    [`CAIRN:1P${"0".repeat(7_000)}`, "MESSAGE_TOO_LARGE"],
    [with_(new Uint8Array(0)), "BUNDLE_MALFORMED"],
    [with_(signed.bytes, signed.bytes), "MESSAGE_FIELD_INVALID"],
    [with_(certificate), "MESSAGE_FIELD_INVALID"],
    [with_(Uint8Array.of(0xf6)), "COSE_MALFORMED"],
  ];
  for (const [text, code] of cases) assert.equal(codeOf(await terminal.accept(text)), code, text.slice(0, 60));
  for (let cut = 9; cut < codeText.length - 1; cut += 13) {
    const outcome = await terminal.accept(codeText.slice(0, cut));
    assert.equal(outcome.kind, "refused");
  }
  assert.deepEqual(await terminal.history({ limit: 9 }).then((entries) => entries.map(({ kind }) => kind)), [
    "request",
  ]);
});

test("refuses what is not genuine: trust list, issuer key, certificate, payment, in this order", async () => {
  const stranger = generateNodeSigner();
  const payer = await makePayer(issuer);
  const forged = await issuer.signUser(payer.signer, {}, stranger);
  const claimed = await issuer.signUser(payer.signer, { issuerKeyId: issuer.issuerKeyId }, stranger);
  const { terminal, clock } = await makeTerminal(issuer, { trustList: { expiresAt: NOW + 100 } });
  const asked = await chargeFor(terminal, 100n);
  const code = expectCode(readCode((await payer.pay(asked.codeText)).codeText), "payment");
  const other = await makePayer(issuer);
  const otherPayment = expectCode(readCode((await other.pay(asked.codeText)).codeText), "payment");
  const unsigned = expectCode(readCode((await payer.pay(asked.codeText, {}, stranger)).codeText), "payment");
  const offer = async (certificate: Uint8Array, message: Uint8Array) =>
    codeOf(await terminal.accept(writeCode({ type: "payment", certificate, message })));

  assert.equal(await offer(forged.bytes, code.message), "ISSUER_UNKNOWN");
  assert.equal(await offer(forged.bytes, otherPayment.message), "ISSUER_UNKNOWN");
  assert.equal(await offer(claimed.bytes, code.message), "SIGNATURE_INVALID");
  assert.equal(await offer(code.certificate, otherPayment.message), "CERTIFICATE_MISMATCH");
  assert.equal(await offer(code.certificate, unsigned.message), "SIGNATURE_INVALID");
  clock.at = NOW + 100 + 301;
  assert.equal(await offer(forged.bytes, unsigned.message), "TRUST_LIST_EXPIRED");
  assert.equal(await offer(code.certificate, code.message), "TRUST_LIST_EXPIRED");
  assert.equal(await offer(code.certificate, new Uint8Array(0)), "BUNDLE_MALFORMED");
  assert.deepEqual((await terminal.standing()).refused, { kept: 0, notKept: 0 }, "nothing of it proves anything");
});

test("refuses an issuer key for another use or another time", async () => {
  const other = generateNodeSigner();
  const payer = await makePayer(issuer);
  for (const [change, code] of [
    [{ uses: KEY_USE.payeeCertificates }, "ISSUER_KEY_NOT_ALLOWED"],
    [{ validUntil: NOW - 2 * DAY }, "ISSUER_KEY_NOT_VALID"],
    [{}, "accepted"],
  ] as [Partial<TrustedKey>, string][]) {
    const { terminal, enrolment } = await makeTerminal(issuer);
    const held = restoreVerified(trustList, enrolment.trustList, crypto).content;
    const [first] = held.keys;
    assert.ok(first !== undefined);
    const added: TrustedKey = { ...first, key: other.publicKey, ...change };
    const newer = await issuer.signTrustList({ version: 2, keys: [first, added] });
    assert.deepEqual(await terminal.applyLists({ ...enrolment, trustList: newer }), []);
    const certificate = await issuer.signUser(payer.signer, {}, other);
    const asked = await chargeFor(terminal, 100n);
    const { certificateId } = certificate.content;
    const sequence = 1;
    const paid = await payer.pay(asked.codeText, { certificateId, sequence, spentMinor: 100n });
    const codeText = writeCode({ type: "payment", certificate: certificate.bytes, message: paid.signed.bytes });
    assert.equal(codeOf(await terminal.accept(codeText)), code);
  }
});

type Case = { code: string; run: () => Promise<{ world: TerminalWorld; codeText: string }> };

/** Everything that a genuine two-way payment can be refused for, once it is genuine. */
const CASES: Case[] = [
  {
    code: "CERTIFICATE_REVOKED",
    run: async () => offered(issuer, { revoked: [7] }),
  },
  {
    code: "STATUS_LIST_STALE",
    run: async () => {
      const { world, codeText } = await offered(issuer, {});
      // The request still lives: the list grew too old while the payer paid.
      const stale = await issuer.signStatusList({ issuedAt: NOW - DAY - 1 });
      await replaceStatusList(world, stale);
      return { world, codeText };
    },
  },
  {
    code: "REQUEST_UNKNOWN",
    run: async () => {
      const elsewhere = await makeTerminal(issuer);
      const { codeText } = await (await makePayer(issuer)).pay((await chargeFor(elsewhere.terminal, 100n)).codeText);
      return { world: await makeTerminal(issuer), codeText };
    },
  },
  {
    code: "REQUEST_VOIDED",
    run: async () => {
      const { world, codeText, requestId } = await offered(issuer, {});
      assert.equal((await world.terminal.voidRequest(requestId)).kind, "voided");
      world.clock.at = NOW + 301;
      return { world, codeText };
    },
  },
  {
    code: "REQUEST_EXPIRED",
    run: async () => {
      const { world, codeText, asked } = await offered(issuer, {});
      const other = await (await makePayer(issuer)).pay(asked);
      assert.equal((await world.terminal.accept(other.codeText)).kind, "accepted");
      world.clock.at = NOW + 301;
      return { world, codeText };
    },
  },
  {
    code: "REQUEST_ALREADY_PAID",
    run: async () => {
      const { world, codeText, asked } = await offered(issuer, {}, { issuedAt: NOW - 2 * DAY });
      const other = await (await makePayer(issuer)).pay(asked);
      assert.equal((await world.terminal.accept(other.codeText)).kind, "accepted");
      return { world, codeText };
    },
  },
  {
    code: "CERTIFICATE_NOT_YET_VALID",
    run: () => offered(issuer, { policy: { requestValiditySeconds: 3_600 } }, {}, { issuedAt: NOW + 301 }),
  },
  { code: "CERTIFICATE_EXPIRED", run: () => offered(issuer, {}, {}, { expiresAt: NOW - 1 }) },
  { code: "CERTIFICATE_NOT_YET_VALID", run: () => offered(issuer, {}, { issuedAt: NOW - DAY - 301 }) },
  { code: "CERTIFICATE_EXPIRED", run: () => offered(issuer, {}, { issuedAt: NOW + DAY + 1 }) },
  {
    code: "CURRENCY_MISMATCH",
    run: () => offered(issuer, {}, { amountMinor: 1n }, { terms: { currency: currency("USD") } }),
  },
  {
    code: "AMOUNT_MISMATCH",
    run: () => offered(issuer, {}, { amountMinor: 99n, issuedAt: NOW - 90_000 }, { issuedAt: NOW - 5 * DAY }),
  },
  {
    code: "PAYMENT_CLOCK_DIFFERS",
    run: () => offered(issuer, {}, { issuedAt: NOW - 86_401, spentMinor: 0n }, { issuedAt: NOW - 5 * DAY }),
  },
  {
    code: "AMOUNT_OVER_CERTIFICATE_CAP",
    run: () => offered(issuer, {}, { spentMinor: 1n }, { terms: { perPaymentCapMinor: 99n } }),
  },
  { code: "SPENT_INCONSISTENT", run: () => offered(issuer, {}, { spentMinor: 99n }) },
  { code: "SPENT_INCONSISTENT", run: () => offered(issuer, {}, { sequence: 0 }) },
  {
    code: "LIMIT_EXCEEDED",
    run: async () => {
      const { world, payer } = await offered(issuer, {});
      const first = await payer.pay((await chargeFor(world.terminal, 100n)).codeText);
      assert.equal((await world.terminal.accept(first.codeText)).kind, "accepted");
      // The sequence repeats as well.
      const asked = await chargeFor(world.terminal, 100n);
      const { codeText } = await payer.pay(asked.codeText, { spentMinor: 10_001n, sequence: 1 });
      return { world, codeText };
    },
  },
  {
    code: "SEQUENCE_CONFLICT",
    run: async () => {
      const world = await makeTerminal(issuer, { payee: { terms: { storedTotalCapMinor: 100n } } });
      const payer = await makePayer(issuer);
      const [one, two] = [await chargeFor(world.terminal, 100n), await chargeFor(world.terminal, 100n)];
      assert.equal((await world.terminal.accept((await payer.pay(one.codeText)).codeText)).kind, "accepted");
      // A higher sequence alone is not enough: the running total leaves no room for both.
      const { codeText } = await payer.pay(two.codeText, { sequence: 9, spentMinor: 150n });
      return { world, codeText };
    },
  },
  {
    code: "STORED_TOTAL_REACHED",
    run: async () => {
      const world = await makeTerminal(issuer, { payee: { terms: { storedTotalCapMinor: 199n } } });
      const payer = await makePayer(issuer);
      const [one, two] = [await chargeFor(world.terminal, 100n), await chargeFor(world.terminal, 100n)];
      assert.equal((await world.terminal.accept((await payer.pay(one.codeText)).codeText)).kind, "accepted");
      return { world, codeText: (await payer.pay(two.codeText)).codeText };
    },
  },
];

for (const { code, run } of CASES) {
  test(`refuses a genuine payment: ${code}`, async () => {
    const { world, codeText } = await run();
    const before = await world.terminal.totals({});
    const outcome = await world.terminal.accept(codeText);
    assert.equal(codeOf(outcome), code);
    assert.deepEqual(await world.terminal.totals({}), before, "nothing is accepted");
    const [kept] = await world.journal.refusedPayments({ limit: 1 });
    assert.equal(kept?.code, code, "the genuine payment is kept as evidence");
    assert.equal(codeOf(await world.terminal.accept(codeText)), code, "again the same");
    assert.equal((await world.journal.refusedPayments({ limit: 9 })).length, 1);
  });
}
