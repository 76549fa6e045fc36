import assert from "node:assert/strict";
import { type IssuerStore, MemoryIssuerStore, type StoredOutcome } from "@cairn/stores";
import { enrolTerminal } from "../issuer-fixture.ts";
import { SettlerProcess } from "./children.ts";
import type { Fault } from "./faults.ts";
import { BATCHES, type Group, openGroup, Plan, randomFrom, settleOnce } from "./plan.ts";
import type { Target } from "./targets.ts";

/** Uploads that a settling process has before it, so that it never runs out before it is struck. */
const AHEAD = 3;

export type Crash = { readonly number: number; readonly fault: string; readonly store: Target["kind"] };

/**
 * One store under fault after fault. After each one the books are verified, and everything that was ever said to be
 * received or settled must be there as it was said. `finish` lets everything be answered, and compares each payment's
 * outcome with what a store says that had no faults at all.
 */
export class CrashRun {
  readonly #target: Target;
  readonly #seed: number;
  readonly #random: (below: number) => number;
  readonly #groups: Group[] = [];
  /** What was said of settled payments. */
  readonly #told = new Map<string, string>();
  /** The first upload that nobody was told to be received. */
  #next = 0;

  constructor(target: Target, seed: number) {
    this.#target = target;
    this.#seed = seed;
    this.#random = randomFrom(seed);
  }

  /** Payments that were said to be settled so far. */
  get settled(): number {
    return this.#told.size;
  }

  async prepare(): Promise<void> {
    const store = await this.#target.open();
    for (const till of [0, 1, 2]) await enrolTerminal(store, till, till);
    await this.#openGroups(store);
    await store.close();
  }

  async crash(fault: Fault): Promise<void> {
    const { kind, store } = this.#target;
    const input = { store, seed: this.#seed, groups: this.#groups };
    const settler = new SettlerProcess({ ...input, from: this.#next }, fault.wrapper?.(this.#random));
    // On PostgreSQL a second worker settles beside it.
    const worker = kind === "postgres" ? new SettlerProcess(input) : undefined;
    try {
      await fault.strike({ target: this.#target, settler, random: this.#random });
      if (fault.ends === "process") await settler.ended();
      else {
        await settler.hasSaid(2);
        await settler.stop();
      }
      await worker?.stop();
    } finally {
      settler.kill();
      worker?.kill();
    }
    this.#note([...settler.lines, ...(worker?.lines ?? [])]);
    await this.#look();
  }

  /** Everything is uploaded and answered; every outcome is what it would have been without any fault. */
  async finish(): Promise<void> {
    const settler = new SettlerProcess({
      store: this.#target.store,
      seed: this.#seed,
      groups: this.#groups,
      from: this.#next,
    });
    while (!settler.lines.some((line) => "received" in line && line.received === this.#groups.length * BATCHES - 1))
      await settler.hasSaid(1);
    await settler.stop();
    const store = await this.#target.open();
    const plan = new Plan(this.#seed, this.#groups);
    while ((await settleOnce(store, plan)) !== undefined);
    await this.#verify(store);
    const reference = await withoutFaults(this.#seed, this.#groups.length);
    for (let upload = 0; upload < plan.uploads; upload++)
      assert.deepEqual(
        await outcomesOf(store, plan.paymentIds(upload)),
        reference[upload],
        `upload ${upload} ends as it would have without faults`,
      );
    await store.close();
  }

  #note(lines: SettlerProcess["lines"]): void {
    for (const line of lines) {
      if ("received" in line) this.#next = Math.max(this.#next, line.received + 1);
      if (!("answers" in line)) continue;
      for (const [paymentId, state, takenMinor] of line.answers) {
        if (state !== "settled") continue;
        const earlier = this.#told.get(paymentId);
        assert.ok(earlier === undefined || earlier === takenMinor, `payment ${paymentId} keeps its answer`);
        this.#told.set(paymentId, takenMinor);
      }
    }
  }

  async #look(): Promise<void> {
    const store = await this.#target.open();
    await this.#verify(store);
    await this.#openGroups(store);
    await store.close();
  }

  async #verify(store: IssuerStore): Promise<void> {
    const { faults } = await store.verifyBooks();
    assert.deepEqual(faults, []);
    const ids = [...this.#told.keys()] as Parameters<IssuerStore["outcomes"]>[0][number][];
    const outcomes = new Map((await store.outcomes(ids)).map((outcome) => [outcome.paymentId, outcome]));
    for (const id of ids) {
      const outcome = outcomes.get(id);
      assert.equal(outcome?.state, "settled", `payment ${id} was said to be settled`);
      assert.equal(`${outcome?.takenMinor}`, this.#told.get(id));
    }
    const plan = new Plan(this.#seed, this.#groups);
    for (let upload = Math.max(0, this.#next - AHEAD * BATCHES); upload < this.#next; upload++) {
      const wanted = plan.paymentIds(upload);
      const known = new Set((await store.outcomes(wanted)).map(({ paymentId }) => paymentId));
      assert.ok(
        wanted.every((each) => known.has(each)),
        `upload ${upload} was said to be received`,
      );
    }
  }

  async #openGroups(store: IssuerStore): Promise<void> {
    while (this.#groups.length * BATCHES < this.#next + AHEAD * BATCHES)
      this.#groups.push(await openGroup(store, this.#seed, this.#groups.length));
  }
}

type Outcome = Pick<StoredOutcome, "state" | "code" | "takenMinor" | "funding">;

async function outcomesOf(store: IssuerStore, ids: Parameters<IssuerStore["outcomes"]>[0]): Promise<Outcome[]> {
  const outcomes = new Map((await store.outcomes(ids)).map((outcome) => [outcome.paymentId, outcome]));
  return ids.flatMap((each) => {
    const outcome = outcomes.get(each);
    if (outcome === undefined) return [];
    const { state, code, takenMinor, funding } = outcome;
    return [{ state, code, takenMinor, funding }];
  });
}

/** What comes out of the same uploads where nothing ever fails. */
async function withoutFaults(seed: number, groups: number): Promise<Outcome[][]> {
  const store = new MemoryIssuerStore();
  const opened: Group[] = [];
  for (let group = 0; group < groups; group++) opened.push(await openGroup(store, seed, group));
  const plan = new Plan(seed, opened);
  const outcomes: Outcome[][] = [];
  for (let upload = 0; upload < plan.uploads; upload++) {
    await store.receive(plan.records(upload));
    while ((await settleOnce(store, plan)) !== undefined);
  }
  for (let upload = 0; upload < plan.uploads; upload++) outcomes.push(await outcomesOf(store, plan.paymentIds(upload)));
  return outcomes;
}
