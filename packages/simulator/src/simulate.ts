import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ServiceError, withdraw } from "@cairn/issuer/services";
import { SqliteIssuerStore } from "@cairn/stores";
import { comeRight, guarded, isKeptBack, noteFirst } from "./economy/coming-home.ts";
import { Mischief } from "./economy/mischief.ts";
import { sendOnline } from "./economy/online-money.ts";
import { DAY_MS, type PlanItem, planOfDay } from "./economy/plan.ts";
import { Shopping } from "./economy/shopping.ts";
import type { StoryLine } from "./economy/world.ts";
import { START_MS, World } from "./economy/world.ts";
import type { FaultKind } from "./faults.ts";
import type { Strike } from "./kernel/fate.ts";
import type { SimulationOptions } from "./options.ts";
import { perform, wait } from "./parties/party.ts";
import type { SimulatedWallet } from "./parties/wallet.ts";
import { overexposed } from "./promises/convergence.ts";
import type { Violation } from "./promises/violation.ts";
import { money } from "./story.ts";

/** How often a person gives the certificate back for a new one. */
const ASKS_FOR_A_NEW_ONE = 0.05;
/** How often somebody asks for all of the balance on pay day. */
const WANTS_ALL = 0.1;

export type Counts = {
  /** Everything below together: what `--events-per-second` is measured in. */
  readonly events: number;
  readonly kernel: number;
  readonly messages: number;
  readonly diskRecords: number;
  readonly diskSyncs: number;
  readonly postings: number;
};
export type Day = {
  readonly day: number;
  readonly exposureMinor: bigint;
  readonly lossMinor: bigint;
  readonly settledMinor: bigint;
  readonly settled: number;
};
export type Outcome = {
  readonly violation: Violation | undefined;
  readonly counts: Counts;
  readonly days: readonly Day[];
  readonly payments: {
    readonly made: number;
    readonly accepted: number;
    readonly settled: number;
    readonly refused: number;
  };
  readonly refusals: ReadonlyMap<string, number>;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly network: World["network"]["counts"];
  readonly strikes: readonly Strike[];
  /** Plan items that were begun. */
  readonly items: readonly number[];
  readonly story: readonly StoryLine[];
  readonly conflicts: number;
  /** The most that attackers could have cost by the promises, minor units. */
  readonly ceilingMinor: bigint;
  readonly blamed: number;
};

type OnDay = (day: Day, counts: Counts) => void;

/** Runs one economy from its seed to its end, and then until everything has come right. */
export async function simulate(options: SimulationOptions, onDay?: OnDay): Promise<Outcome> {
  if (options.store === "memory") return runIn(new World(options, undefined), options, onDay);
  const folder = await mkdtemp(join(tmpdir(), "cairn-simulate-"));
  const store = new SqliteIssuerStore(join(folder, "issuer.sqlite"));
  try {
    return await runIn(new World(options, store), options, onDay);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runIn(world: World, options: SimulationOptions, onDay: OnDay | undefined): Promise<Outcome> {
  await world.open();
  const shopping = new Shopping(world);
  const mischief = new Mischief(world, shopping);
  const items: number[] = [];
  const days: Day[] = [];
  let nextId = 1;
  const isBroken = (): boolean => world.violation !== undefined;
  for (let day = 0; day < options.days && !isBroken(); day += 1) {
    const plan = planOfDay(options, day, nextId);
    nextId += plan.length;
    for (const item of plan) {
      if (options.only !== undefined && !options.only.has(`${item.id}`)) continue;
      if (day === options.days - 1 && isKeptBack(item, options)) continue;
      items.push(item.id);
      world.kernel.begin(START_MS + item.at, item.id, () => act(item, { world, shopping, mischief }));
    }
    await world.kernel.run(START_MS + (day + 1) * DAY_MS, isBroken);
    await guarded(world, async () => {
      await world.watch.lookForBlame();
      await noteFirst(world, overexposed(world));
    });
    days.push(await dayOf(world, day));
    onDay?.(days.at(-1) as Day, countsOf(world));
  }
  if (!isBroken()) await comeRight(world, isBroken);
  return {
    violation: world.violation,
    counts: countsOf(world),
    days,
    payments: {
      made: world.truth.counts.paid,
      accepted: world.truth.counts.accepted,
      settled: world.watch.settled,
      refused: world.truth.counts.refused,
    },
    refusals: shopping.refusals,
    faults: mischief.counts,
    network: world.network.counts,
    strikes: world.fate.struck,
    items,
    story: world.story,
    ceilingMinor: world.watch.boundMinor,
    conflicts: (await world.store.conflicts()).length,
    blamed: world.truth.dishonest.size,
  };
}

type Actors = { readonly world: World; readonly shopping: Shopping; readonly mischief: Mischief };

async function act(item: PlanItem, { world, shopping, mischief }: Actors): Promise<void> {
  switch (item.kind) {
    case "purchase":
      return await shopping.purchase(await world.wallet(item.wallet), world.terminal(item.terminal), item.amountMinor);
    case "ride":
      return await shopping.ride(await world.wallet(item.wallet), world.terminal(item.terminal), item.maximumMinor);
    case "hand": {
      const receiver = await world.receiver(item.to);
      if (receiver === undefined) return;
      return await shopping.purchase(await world.wallet(item.wallet), receiver, item.amountMinor);
    }
    case "send": {
      const wallet = await world.wallet(item.wallet);
      const to = world.kernel.cause.random.chance(0.5)
        ? { account: (await world.wallet(item.to)).owner.account }
        : { payeeId: world.terminal(item.to % world.terminals.length).payeeId };
      return sendOnline(world, wallet, { amountMinor: item.amountMinor, key: `send-${item.id}`, to });
    }
    case "sync": {
      const wallet = await world.wallet(item.wallet);
      const beforeATrip = world.kernel.cause.random.chance(ASKS_FOR_A_NEW_ONE);
      await perform(world, wallet.node, 0, () => world.comesOnline(wallet, beforeATrip));
      return;
    }
    case "upload": {
      const terminal = world.terminal(item.terminal);
      await perform(world, terminal.node, 0, () => terminal.upload());
      return;
    }
    case "wages":
      return payWages(world, await world.wallet(item.wallet), item);
    case "fault":
      return mischief.happen(item.fault, item);
  }
}

/** The payroll asks again until it hears that the money is there. */
async function payWages(
  world: World,
  wallet: SimulatedWallet,
  { id, amountMinor }: { readonly id: number; readonly amountMinor: bigint },
): Promise<void> {
  const { account } = wallet.owner;
  const { issuer } = world;
  for (let answer: string | undefined; answer === undefined; ) {
    answer = await perform(world, issuer.server, 1_000, () =>
      issuer.context.store.topUp({ account, amountMinor, idempotencyKey: `wages-${id}`, at: issuer.nowSeconds() }),
    );
    if (answer === undefined) await wait(world, 30_000);
  }
  if (world.kernel.cause.random.chance(WANTS_ALL)) await drawAll(world, wallet);
}

/** What is held for certificates stays, however much is asked for. */
async function drawAll(world: World, wallet: SimulatedWallet): Promise<void> {
  const { account } = wallet.owner;
  const { issuer } = world;
  await perform(world, issuer.server, 1_000, async () => {
    const { balanceMinor = 0n } = (await issuer.context.store.account(account)) ?? {};
    if (balanceMinor <= 0n) return;
    try {
      const idempotencyKey = `all-${world.kernel.cause.id}`;
      await withdraw({ account, amountMinor: balanceMinor, idempotencyKey }, issuer.context);
      world.tell(() => `the owner of ${wallet.name} draws all there is, ${money(balanceMinor)}`);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
    }
  });
}

function countsOf({ kernel, network, disk, watch }: World): Counts {
  const { messages } = network.counts;
  const { records: diskRecords, syncs: diskSyncs } = disk;
  const { postings } = watch;
  const events = kernel.events + messages + diskRecords + diskSyncs + postings;
  return { events, kernel: kernel.events, messages, diskRecords, diskSyncs, postings };
}

async function dayOf(world: World, day: number): Promise<Day> {
  const { lossMinor, settledMinor, settled } = world.watch;
  return { day: day + 1, exposureMinor: await world.exposureMinor(), lossMinor, settledMinor, settled };
}
