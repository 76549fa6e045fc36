import assert from "node:assert/strict";
import { type TestOptions, test } from "node:test";
import { type RequestHash, refusal } from "@cairn/messages";
import { type IssuerStore, MemoryIssuerStore } from "@cairn/stores";
import fc from "fast-check";
import {
  aPayment,
  aWord,
  messageId,
  openPayer,
  payeeId,
  payersCopy,
  settleItems,
  terminalId,
} from "./issuer-fixture.ts";

/** Requests whose hashes differ from their beginning on, as all do. */
const aRequest = (number: number): RequestHash => `${number}`.repeat(32) as RequestHash;

/** What a payment is follows from its number: some are open, some answer the request that the first one answers. */
const OPEN: readonly number[] = [3, 4];
const OF_THE_FIRST_REQUEST: readonly number[] = [5, 9];

/** One payment of a few, from one bringer of a few, the right one at its number or another under the same number. */
const itemArbitrary = fc.record({
  number: fc.integer({ min: 1, max: 9 }),
  isTwin: fc.integer({ max: 5, min: 0 }).map((chance) => chance === 0),
  bringer: fc.constantFrom("till 1", "till 2", "payer"),
  isRefused: fc.integer({ max: 14, min: 0 }).map((chance) => chance === 0),
});
const batchesArbitrary = fc.array(fc.array(itemArbitrary, { minLength: 1, maxLength: 3 }), { maxLength: 8 });

const item = (number: number, isTwin = false) => ({ number, isTwin, bringer: "till 1", isRefused: false }) as const;
/** The neighbour before a gap, and the one behind it, is what contradicts the one that fills it. */
const OUT_OF_ORDER_AFTER = [[item(5, true)], [item(7)], [item(9)], [item(6)]];
const OUT_OF_ORDER_BEFORE = [[item(6)], [item(8)], [item(9)], [item(5, true)]];

/** Stores that give the rules only what a batch touches, beside the one in memory, which gives them everything. */
export function fewPaymentsSuite(
  name: string,
  open: () => IssuerStore | Promise<IssuerStore>,
  { numRuns, ...options }: TestOptions & { readonly numRuns: number },
): void {
  test(
    `${name}: what is decided with the few payments that a batch needs is what is decided with all of them`,
    options,
    async () => {
      const store = await open();
      await fc.assert(
        fc.asyncProperty(batchesArbitrary, async (batches) => {
          const everything = new MemoryIssuerStore();
          assert.deepEqual(await decidedBy(store, batches), await decidedBy(everything, batches));
          await everything.close();
        }),
        { numRuns, examples: [[OUT_OF_ORDER_AFTER], [OUT_OF_ORDER_BEFORE]] },
      );
      await store.close();
    },
  );
}

type Batches = typeof batchesArbitrary extends fc.Arbitrary<infer Value> ? Value : never;

/** What became of each item of a new payer, batch by batch, and the kind of the conflict in the end. */
async function decidedBy(store: IssuerStore, batches: Batches): Promise<readonly unknown[]> {
  const payer = await openPayer(store, { balanceMinor: 6_000n, lineMinor: 3_000n });
  const decided: unknown[] = [];
  for (const batch of batches) {
    const items = batch.map(({ number, isTwin, bringer, isRefused }) => {
      const till = bringer === "till 2" ? 2 : 1;
      const twin = isTwin ? { paymentId: messageId(0x7000_0000 + payer.account * 0x100 + number) } : {};
      const open = OPEN.includes(number) ? ({ kind: "open-payment", requestHash: undefined } as const) : {};
      const item = aPayment(payer, number, {
        payeeWord: aWord({ payeeId: payeeId(till), terminalId: terminalId(till) }),
        refusal: isRefused ? refusal("AMOUNT_MISMATCH") : undefined,
        requestHash: aRequest(OF_THE_FIRST_REQUEST.includes(number) ? 1 : number),
        ...twin,
        ...open,
      });
      return bringer === "payer" ? payersCopy(item) : item;
    });
    for (const { state, code, takenMinor, funding, repeated } of await settleItems(store, payer, items))
      decided.push({ state, code, takenMinor, funding, repeated });
  }
  decided.push((await store.certificate(payer.certificate))?.conflict?.kind);
  return decided;
}
