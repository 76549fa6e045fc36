import assert from "node:assert/strict";
import { test } from "node:test";
import { amount, type MessageId } from "@cairn/messages";
import fc from "fast-check";
import {
  acceptReceipt,
  acceptVoid,
  applySyncAnswer,
  buildSync,
  payOpen,
  reviewRequest,
  type WalletPorts,
} from "../src/index.ts";
import { payCode, paymentIn } from "./steps.ts";
import { assertHonest, Crash, snapshot, watch } from "./watched.ts";
import { aSyncAnswer, aTill, aUserCertificate, certificateId, EUR, hold, holding, NOW, type Till } from "./world.ts";

/** What a user, a payee and a server do, in any order, several at once, with the process ending in between. */
type Step =
  | { readonly kind: "pay" | "receipt" | "void"; readonly request: number }
  | { readonly kind: "open"; readonly maximumMinor: bigint }
  | { readonly kind: "sync"; readonly closeAll: boolean; readonly lost: boolean; readonly issues: boolean }
  | { readonly kind: "wait"; readonly seconds: number };
type Planned = { readonly step: Step; readonly crashAt: number | undefined; readonly crashWhen: "before" | "after" };

const till: Till = await aTill();
const REQUESTS = await Promise.all(
  Array.from({ length: 6 }, async (_, index) => {
    const request = await till.signRequest({ amountMinor: [700n, 40n, 1_900n, 2_000n, 60n, 1_001n][index] ?? 1n });
    return { code: till.codeOf("request", request.bytes), requestId: request.messageId };
  }),
);

const aStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pay" as const), request: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom("receipt" as const, "void" as const), request: fc.nat(5) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("open" as const), maximumMinor: fc.bigInt({ min: 1n, max: 900n }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("sync" as const),
      closeAll: fc.boolean(),
      lost: fc.boolean(),
      issues: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.nat(120) }) },
);
const aPlan: fc.Arbitrary<Planned> = fc.record({
  step: aStep,
  crashAt: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined, freq: 3 }),
  crashWhen: fc.constantFrom("before" as const, "after" as const),
});

test("whatever is interleaved and cut short, an honest wallet never contradicts itself nor exceeds a limit", async () => {
  const seen = { payments: 0, crashes: 0, closed: 0, certificates: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(aPlan, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 10 }),
      fc.scheduler(),
      async (rounds, scheduler) => {
        const world = await holding([{ terms: { limitMinor: 3_000n, perPaymentCapMinor: 2_000n } }]);
        const signed = new Set<MessageId>();
        const shownOpen: MessageId[] = [];
        let issued = 1;

        async function run({ step, crashAt, crashWhen }: Planned): Promise<void> {
          const crash = crashAt === undefined ? {} : { crash: { at: crashAt, when: crashWhen } };
          const turn = () => scheduler.schedule(Promise.resolve());
          const { ports } = watch(world.ports, { ...crash, turn, signed });
          try {
            await take(step, ports);
          } catch (error) {
            if (!(error instanceof Crash)) throw error;
            seen.crashes++;
          }
        }

        async function take(step: Step, ports: WalletPorts): Promise<void> {
          switch (step.kind) {
            case "pay":
              await payCode(ports, REQUESTS[step.request]?.code ?? "");
              return;
            case "receipt": {
              const review = await reviewRequest(ports, REQUESTS[step.request]?.code ?? "");
              if (review.kind === "refused") return;
              const paid = (await snapshot(world.ports.store)).payments.find(
                ({ requestId }) => requestId === review.requestId,
              );
              if (paid !== undefined)
                await acceptReceipt(ports, await till.receiptFor(paid.paymentId, paid.amountMinor));
              return;
            }
            case "void": {
              const requestId = REQUESTS[step.request]?.requestId;
              if (requestId !== undefined) await acceptVoid(ports, await till.voidOf(requestId));
              return;
            }
            case "open": {
              const result = await payOpen(ports, { maximum: amount(step.maximumMinor, EUR) });
              if (result.kind === "shown") shownOpen.push(paymentIn(result.codeText).messageId);
              return;
            }
            case "sync":
              await sync(step, ports);
              return;
            case "wait":
              world.clock.seconds += step.seconds;
          }
        }

        async function sync(step: Extract<Step, { kind: "sync" }>, ports: WalletPorts): Promise<void> {
          const { entries, holds } = await buildSync(ports, { closeAll: step.closeAll });
          if (step.lost) return;
          const number = step.issues ? ++issued : issued;
          const terms = { limitMinor: 1_000n + BigInt(number), perPaymentCapMinor: 1_000n };
          const fresh = { certificateId: certificateId(number), issuedAt: NOW + number, terms };
          const certificate =
            number === 1 || holds.includes(certificateId(number))
              ? null
              : (await aUserCertificate(world.ports.signer.publicKey, fresh)).bytes;
          const records = entries.map(
            (_, index) => ({ index, state: "received", code: null, sentence: null }) as const,
          );
          await applySyncAnswer(ports, { answer: await aSyncAnswer({ certificate, records }), entries });
        }

        for (const round of rounds) {
          await scheduler.waitFor(Promise.all(round.map(run)));
          const wallet = await snapshot(world.ports.store);
          assertHonest(wallet, signed);
          seen.payments += wallet.payments.length;
          seen.closed += wallet.certificates.filter(({ closing }) => closing !== undefined).length;
          seen.certificates += wallet.certificates.length;
        }
        assert.equal(new Set(shownOpen).size, shownOpen.length, "an open payment is shown to one caller alone");
        const { payments } = await snapshot(world.ports.store);
        for (const id of shownOpen) assert.ok(payments.some(({ paymentId, shown }) => paymentId === id && shown));
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(
    Object.values(seen).every((count) => count > 50),
    `the interesting states are reached: ${JSON.stringify(seen)}`,
  );
});

test("the watch itself sees a wallet that signs before it is durable", async () => {
  const world = await holding([]);
  await hold(world);
  const { ports } = watch(world.ports);
  await assert.rejects(ports.signer.sign(new Uint8Array([1])), /durable before it is signed/);
});
