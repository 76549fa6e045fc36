import assert from "node:assert/strict";
import { test } from "node:test";
import { openTerminal } from "@cairn/collect";
import {
  areCompatible,
  capture,
  MAXIMUM_RECORDS,
  type MessageId,
  openPayment,
  payeeCertificate,
  payment,
  paymentRequest,
  readUploadRecord,
  refuseCapturedPayment,
  refuseTwoWayPayment,
  restoreVerified,
  userCertificate,
} from "@cairn/messages";
import fc from "fast-check";
import { crypto, eur, makeIssuer, makePayer, makeTerminal, NOW, type Payer, type TerminalWorld } from "./world.ts";

/**
 * Whatever is offered to two processes that share one journal, by honest devices, cloned devices and devices that sign
 * anything, in any order, with repeats, voids, captures and time passing.
 */
const LIMIT = 400n;
const STORED_CAP = 700n;

/** Mostly a few of them fit into one certificate; some are over every cap. */
const minor = fc.oneof({ weight: 5, arbitrary: fc.bigInt(1n, 90n) }, { weight: 1, arbitrary: fc.bigInt(0n, 260n) });
/** What a device signs: the honest next payment, or as a clone would one with any sequence and running total. */
const position = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.record({ sequence: fc.integer({ min: 0, max: 6 }), spentMinor: fc.bigInt(0n, 450n) }) },
);
const pick = fc.nat({ max: 30 });
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("charge" as const), minor }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("pay" as const), request: pick, payer: pick, position }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("payOpen" as const), minor, payer: pick, position }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("offer" as const),
      code: pick,
      process: pick,
      captureMinor: fc.option(minor, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("void" as const), request: pick, process: pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("capture" as const), payment: pick, minor, process: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 200 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("upload" as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

const at = <Item>(items: readonly Item[], index: number): Item | undefined => items[index % Math.max(items.length, 1)];

/** What a clone signs does not move the honest device's own chain. */
async function signing<Signed>(
  payer: Payer,
  position: object | undefined,
  sign: () => Promise<Signed>,
): Promise<Signed> {
  const before = { ...payer.chain };
  const signed = await sign();
  if (position !== undefined) Object.assign(payer.chain, before);
  return signed;
}

async function play(world: TerminalWorld, payers: readonly Payer[], steps: readonly Step[]) {
  const processes = [world.terminal, openTerminal(world.ports)];
  const requests: { requestId: MessageId; codeText: string }[] = [];
  const codes: { kind: "payment" | "open-payment"; codeText: string }[] = [];
  const accepted: MessageId[] = [];
  const voided = new Set<MessageId>();
  const refusals: string[] = [];
  for (const now of steps) {
    switch (now.do) {
      case "charge": {
        const outcome = await world.terminal.charge({ amount: eur(now.minor) });
        if (outcome.kind === "requested") requests.push(outcome);
        break;
      }
      case "pay": {
        const [request, payer] = [at(requests, now.request), at(payers, now.payer)];
        if (request === undefined || payer === undefined) break;
        const { codeText } = await signing(payer, now.position, () => payer.pay(request.codeText, now.position));
        codes.push({ kind: "payment", codeText });
        break;
      }
      case "payOpen": {
        const payer = at(payers, now.payer);
        if (payer === undefined) break;
        const clock = world.clock.at;
        const changes = { issuedAt: clock, expiresAt: clock + 60, ...now.position };
        const { codeText } = await signing(payer, now.position, () => payer.payOpen(now.minor, changes));
        codes.push({ kind: "open-payment", codeText });
        break;
      }
      case "offer": {
        const [code, on] = [at(codes, now.code), at(processes, now.process)];
        if (code === undefined || on === undefined) break;
        const options = now.captureMinor === undefined ? {} : { captureMinor: now.captureMinor };
        const outcome = await (code.kind === "payment"
          ? on.accept(code.codeText)
          : on.acceptOpen(code.codeText, options));
        if (outcome.kind === "refused") refusals.push(outcome.refusal.code);
        else accepted.push(outcome.acceptance.paymentId);
        break;
      }
      case "void": {
        const request = at(requests, now.request);
        if (request === undefined) break;
        const outcome = await at(processes, now.process)?.voidRequest(request.requestId);
        if (outcome?.kind === "voided") voided.add(request.requestId);
        break;
      }
      case "capture": {
        const paymentId = at(accepted, now.payment);
        const held = paymentId && (await world.journal.acceptance(paymentId));
        if (held?.kind === "open-payment") await at(processes, now.process)?.capture(held.paymentId, now.minor);
        break;
      }
      case "wait":
        world.clock.at += now.seconds;
        break;
      case "upload": {
        const upload = await world.terminal.buildUpload({ limit: 3 });
        const records = upload.items.map((_, index) => ({
          index,
          paymentId: null,
          state: "received" as const,
          code: null,
          sentence: null,
        }));
        await world.terminal.applyUploadAnswer(upload, { ...world.enrolment, records });
      }
    }
    assert.ok((await world.terminal.standing()).stored.totalMinor <= STORED_CAP);
  }
  return { accepted, voided, refusals };
}

/** Every record as the server will read it. */
function refuseAsServer(bytes: Uint8Array) {
  const record = readUploadRecord(bytes);
  const payee = restoreVerified(payeeCertificate, record.payeeCertificate, crypto).content;
  if (record.kind === "void") return undefined;
  const certificate = restoreVerified(userCertificate, record.certificate, crypto).content;
  if (record.kind === "payment") {
    const request = restoreVerified(paymentRequest, record.request, crypto);
    return refuseTwoWayPayment({
      certificate,
      payment: restoreVerified(payment, record.payment, crypto).content,
      payeeCertificate: payee,
      request: request.content,
      requestId: request.messageId,
    });
  }
  const open = restoreVerified(openPayment, record.payment, crypto);
  return refuseCapturedPayment({
    certificate,
    payment: open.content,
    paymentId: open.messageId,
    payeeCertificate: payee,
    capture: restoreVerified(capture, record.capture, crypto).content,
  });
}

test("whatever is offered, what one journal accepts is compatible, within limits, and conforms at the server", async () => {
  const issuer = makeIssuer();
  const reached = new Map<string, number>();
  const count = (what: string): void => void reached.set(what, (reached.get(what) ?? 0) + 1);
  const property = fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80, size: "max" }), async (steps) => {
    const terms = { perPaymentCapMinor: 250n, storedTotalCapMinor: STORED_CAP };
    const world = await makeTerminal(issuer, { payee: { terms } });
    const certificateTerms = { limitMinor: LIMIT, perPaymentCapMinor: 220n };
    const payers = [
      await makePayer(issuer, { terms: certificateTerms, expiresAt: NOW + 900 }),
      await makePayer(issuer, { terms: certificateTerms }),
    ];
    const { accepted, voided, refusals } = await play(world, payers, steps);
    for (const code of refusals) count(code);

    assert.equal(new Set(accepted).size, accepted.length, "no payment is accepted twice");
    const held = await world.journal.acceptances({ limit: 1_000 });
    assert.deepEqual(new Set(held.map(({ paymentId }) => paymentId)), new Set(accepted));
    const paidRequests = held.flatMap(({ requestId }) => (requestId === undefined ? [] : [requestId]));
    assert.equal(new Set(paidRequests).size, paidRequests.length, "no request is paid twice");
    for (const requestId of paidRequests) assert.ok(!voided.has(requestId), "no voided request is paid");
    for (const { certificate } of payers) {
      const chain = held.filter(({ certificateId }) => certificateId === certificate.content.certificateId);
      for (const [index, left] of chain.entries()) {
        for (const right of chain.slice(index + 1)) assert.ok(areCompatible(left, right));
      }
      assert.ok(chain.reduce((sum, { amountMinor }) => sum + amountMinor, 0n) <= LIMIT);
      if (chain.length > 1) count("chains");
    }
    const { records } = await world.terminal.buildUpload({ limit: MAXIMUM_RECORDS, which: "unsettled" });
    for (const record of records) assert.equal(refuseAsServer(record), undefined);
    const captured = held.filter(({ takenMinor }) => takenMinor !== undefined);
    assert.ok(records.length >= captured.length);
  });
  const seed = Math.floor(Math.random() * 0x7fffffff);
  await fc.assert(property, { numRuns: 100, seed });
  for (const what of ["chains", "PAYMENT_REPLAYED", "SEQUENCE_CONFLICT", "LIMIT_EXCEEDED", "REQUEST_ALREADY_PAID"]) {
    assert.ok((reached.get(what) ?? 0) > 0, `${what} was never reached with seed ${seed}`);
  }
});
