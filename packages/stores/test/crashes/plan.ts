import { createHash } from "node:crypto";
import { readSyncRecord, readUploadRecord } from "@cairn/messages";
import { type SettlementItem, type SettlementOutcome, settle } from "@cairn/settle";
import type { InboxRecord, IssuerStore } from "@cairn/stores";
import {
  aPayment,
  aWord,
  deviceId,
  NOW,
  openPayer,
  type Payer,
  POLICY,
  payeeId,
  payersCopy,
  recordBytes,
  requestHash,
  terminalId,
} from "../issuer-fixture.ts";

/**
 * What is uploaded, all of it following from a seed, so that whoever is killed knows again what to send, and so that a
 * store without faults says what must come out. Payers come in groups; a group pays through `BATCHES` uploads and then
 * rests. Each upload holds, of each payer in the order of its chain, payments, records sent again, payers' own copies
 * and payments of clones.
 */
export const PAYERS = 4;
export const BATCHES = 8;
const PAYMENTS = 5;
/** Records taken into one settlement. */
const TAKE = 64;

export type Group = readonly Payer[];
type Place = { readonly group: number; readonly batch: number; readonly index: number };
type Planned = {
  readonly item: SettlementItem;
  readonly partition: number;
  readonly senderId: InboxRecord["senderId"];
};

export class Plan {
  readonly #seed: number;
  /** Payers of each group, as the store named them. */
  readonly #groups: readonly Group[];
  readonly #uploads = new Map<number, readonly Planned[]>();

  constructor(seed: number, groups: readonly Group[]) {
    this.#seed = seed;
    this.#groups = groups;
  }

  get uploads(): number {
    return this.#groups.length * BATCHES;
  }

  /** The records of an upload, the same ones each time. */
  records(upload: number): InboxRecord[] {
    return this.#upload(upload).map(({ item, partition, senderId }, index) => {
      const place: Place = { group: Math.floor(upload / BATCHES), batch: upload % BATCHES, index };
      const bytes = recordBytes(item, Buffer.from(JSON.stringify(place)));
      const { broughtBy, paymentId, receivedAt } = item;
      const recordHash = createHash("sha256").update(bytes).digest("hex");
      return { inboxId: 0, recordHash, partition, broughtBy, senderId, paymentId, bytes, receivedAt };
    });
  }

  /** What a record says, as verification would find out. */
  itemOf(record: InboxRecord): SettlementItem {
    const read = record.broughtBy === "terminal" ? readUploadRecord(record.bytes) : readSyncRecord(record.bytes);
    if (!("certificate" in read)) throw new Error("a record that nobody planned");
    const { group, batch, index }: Place = JSON.parse(Buffer.from(read.certificate).toString());
    const planned = this.#upload(group * BATCHES + batch)[index];
    if (planned === undefined) throw new Error("a record that nobody planned");
    return { ...planned.item, inboxId: record.inboxId };
  }

  /** The payments of an upload in their order, however the store named their payers. */
  paymentIds(upload: number): SettlementItem["paymentId"][] {
    return this.#upload(upload).map(({ item }) => item.paymentId);
  }

  #upload(upload: number): readonly Planned[] {
    let planned = this.#uploads.get(upload);
    if (planned === undefined) {
      planned = this.#make(Math.floor(upload / BATCHES), upload % BATCHES);
      this.#uploads.set(upload, planned);
    }
    return planned;
  }

  #make(group: number, batch: number): readonly Planned[] {
    const random = randomFrom(this.#seed * 7_919 + group * BATCHES + batch);
    return (this.#groups[group] ?? []).flatMap((payer) =>
      Array.from({ length: PAYMENTS }, (_, step) => batch * PAYMENTS + step + 1).flatMap((number) => {
        const till = random(3);
        const payeeWord = aWord({ terminalId: terminalId(till), payeeId: payeeId(till) });
        const payment = aPayment(payer, number, { payeeWord });
        const id = payment.paymentId;
        const clones = {
          ...payment,
          paymentId: `f${id.slice(1)}` as typeof id,
          requestHash: requestHash(payer.account * 0x10000 + 0x8000 + number),
        };
        const kind = random(10);
        const items = [
          ...(kind === 0 ? [payersCopy(payment)] : []),
          ...(kind === 1 ? [] : [payment]),
          ...(kind === 2 ? [payment] : []),
          ...(kind === 3 ? [clones] : []),
          ...(kind === 4 ? [payersCopy(payment)] : []),
        ];
        return items.map((item) => ({
          item,
          partition: payer.partition,
          senderId: item.broughtBy === "terminal" ? terminalId(till) : deviceId(payer.account),
        }));
      }),
    );
  }
}

/** Payers of a group, with money and credit that follow from the seed: some pay out of the reserve in the end. */
export async function openGroup(store: IssuerStore, seed: number, group: number): Promise<Group> {
  const random = randomFrom(seed * 104_729 + group);
  const payers: Payer[] = [];
  for (let payer = 0; payer < PAYERS; payer++)
    payers.push(await openPayer(store, { balanceMinor: BigInt(random(40_000)), lineMinor: BigInt(random(20_000)) }));
  return payers;
}

/** Takes one batch and settles it, as a worker does. Undefined when nothing waits. */
export async function settleOnce(store: IssuerStore, plan: Plan): Promise<readonly SettlementOutcome[] | undefined> {
  const batch = await store.takeBatch(TAKE);
  if (batch === undefined) return undefined;
  const { partition, records } = batch;
  return store.settle({
    partition,
    records,
    items: records.map((record) => plan.itemOf(record)),
    decide: (state, items) => settle(state, items, { now: NOW, policy: POLICY }),
    rejected: [],
    at: NOW,
  });
}

/** Whole numbers below `below`, the same ones for the same seed (mulberry32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
