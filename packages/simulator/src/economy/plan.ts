import type { FaultKind } from "../faults.ts";
import { Seeded } from "../kernel/seeded.ts";

export const DAY_MS = 86_400_000;

/** Something that somebody sets out to do at a time. Everything in a run goes back to one of these. */
export type PlanItem = { readonly id: number; readonly at: number } & (
  | { readonly kind: "purchase"; readonly wallet: number; readonly terminal: number; readonly amountMinor: bigint }
  | { readonly kind: "ride"; readonly wallet: number; readonly terminal: number; readonly maximumMinor: bigint }
  /** One person pays another, from phone to phone. */
  | { readonly kind: "hand"; readonly wallet: number; readonly to: number; readonly amountMinor: bigint }
  /** Online, to another person's account or to a shop. */
  | { readonly kind: "send"; readonly wallet: number; readonly to: number; readonly amountMinor: bigint }
  | { readonly kind: "sync"; readonly wallet: number }
  | { readonly kind: "upload"; readonly terminal: number }
  | { readonly kind: "wages"; readonly wallet: number; readonly amountMinor: bigint }
  | { readonly kind: "fault"; readonly fault: FaultKind; readonly wallet: number; readonly terminal: number }
);

export type PlanInput = {
  readonly seed: string;
  readonly days: number;
  readonly wallets: number;
  readonly terminals: number;
  /** On average, for each wallet and day. */
  readonly paymentsPerDay: number;
  readonly faults: ReadonlySet<FaultKind>;
};

/** Small prices are frequent, large ones are not: minor units. */
function price(random: Seeded): bigint {
  const fraction = random.fraction();
  return BigInt(50 + Math.floor(fraction * fraction * fraction * 3_000));
}

/** How often on a day, in the whole world: so many for each hundred wallets, at least this. */
type Frequency = { readonly perHundred: number; readonly least: number };
const PER_DAY: Partial<Record<FaultKind, Frequency>> = {
  crashes: { perHundred: 4, least: 1 },
  clocks: { perHundred: 1, least: 0.3 },
  "lost-phones": { perHundred: 0.4, least: 0.3 },
  "cloned-phones": { perHundred: 0.4, least: 0.6 },
  "restored-phones": { perHundred: 0.4, least: 0.6 },
  "extracted-keys": { perHundred: 0.4, least: 0.6 },
  "false-closings": { perHundred: 0.4, least: 0.6 },
  "colluding-payees": { perHundred: 0.4, least: 0.6 },
  replays: { perHundred: 10, least: 2 },
  "key-rotation": { perHundred: 0, least: 0.08 },
  "last-seconds": { perHundred: 0.4, least: 0.5 },
};

/** Drawn by itself: an economy without it is the one that it was before this came. */
const ISSUER_KEY_THEFTS: Frequency = { perHundred: 0.4, least: 0.6 };

/** How many terminals of a hundred stay away for days. */
const STALE_PERCENT = 5;

/** Of the wallets one in so many is paid by others, each by its own neighbours. */
const ONE_RECEIVES_OF = 5;
/** How often on a day a person pays another. */
const PAYS_A_PERSON = 0.12;
/** And how often somebody sends money online. */
const SENDS_ONLINE = 0.08;

/** What one day brings, in the order of time. Ids are the same for a seed whatever the length of the run. */
export function planOfDay(input: PlanInput, day: number, firstId: number): PlanItem[] {
  const random = new Seeded(input.seed, "plan", day);
  const { wallets, terminals, paymentsPerDay } = input;
  const begin = day * DAY_MS;
  const at = (fromHour: number, untilHour: number): number =>
    begin + Math.floor((fromHour + random.fraction() * (untilHour - fromHour)) * 3_600_000);
  type Unnumbered = PlanItem extends infer Item ? (Item extends PlanItem ? Omit<Item, "id"> : never) : never;
  const items: Unnumbered[] = [];
  for (let wallet = 0; wallet < wallets; wallet += 1) {
    const habit = new Seeded(input.seed, "habit", wallet);
    const isOftenOnline = habit.chance(0.7);
    if (day === 0) items.push({ kind: "wages", wallet, amountMinor: BigInt(random.between(4_000, 16_000)), at: begin });
    if (day === 0 || isOftenOnline || random.chance(0.3))
      items.push({ kind: "sync", wallet, at: at(day === 0 ? 0.2 : 6, 8) });
    if (random.chance(0.5)) items.push({ kind: "sync", wallet, at: at(17, 24) });
    if (day % 4 === 3)
      items.push({ kind: "wages", wallet, amountMinor: BigInt(random.between(4_000, 16_000)), at: at(0, 6) });
    // The neighbourhood's tills, and now and then any other.
    const count = Math.floor(random.fraction() * paymentsPerDay * 2 + random.fraction());
    for (let number = 0; number < count; number += 1) {
      const terminal = random.chance(0.8) ? (wallet * 7 + random.below(5)) % terminals : random.below(terminals);
      if (random.chance(0.15)) {
        items.push({ kind: "ride", wallet, terminal, maximumMinor: price(random) + 100n, at: at(7, 22) });
      } else items.push({ kind: "purchase", wallet, terminal, amountMinor: price(random), at: at(8, 23) });
    }
  }
  for (let terminal = 0; terminal < terminals; terminal += 1) {
    const habit = new Seeded(input.seed, "stale", terminal, Math.floor(day / 6));
    if (day > 0 && input.faults.has("stale-lists") && habit.below(100) < STALE_PERCENT) continue;
    items.push({ kind: "upload", terminal, at: at(day === 0 ? 1 : 5, 7) });
    if (random.chance(0.6)) items.push({ kind: "upload", terminal, at: at(12, 16) });
    items.push({ kind: "upload", terminal, at: at(23, 24) });
  }
  for (const [name, frequency] of Object.entries(PER_DAY)) {
    const count = countOf(frequency, wallets, random);
    for (let number = 0; number < count; number += 1) {
      const when = at(8, 23);
      const wallet = random.below(wallets);
      const terminal = random.below(terminals);
      const fault = name as FaultKind;
      if (input.faults.has(fault)) items.push({ kind: "fault", fault, wallet, terminal, at: when });
    }
  }
  for (let wallet = 0; wallet < wallets; wallet += 1)
    if (paymentsPerDay > 0 && random.chance(PAYS_A_PERSON)) {
      // Now and then oneself: nobody gains by it.
      const to = (Math.floor(wallet / ONE_RECEIVES_OF) * ONE_RECEIVES_OF) % wallets;
      items.push({ kind: "hand", wallet, to, amountMinor: price(random), at: at(8, 23) });
    }
  for (let wallet = 0; wallet < wallets; wallet += 1)
    if (paymentsPerDay > 0 && random.chance(SENDS_ONLINE))
      items.push({ kind: "send", wallet, to: random.below(wallets), amountMinor: price(random), at: at(6, 24) });
  if (input.faults.has("stolen-issuer-keys")) {
    const thefts = new Seeded(input.seed, "issuer key thefts", day);
    for (let left = countOf(ISSUER_KEY_THEFTS, wallets, thefts); left > 0; left -= 1) {
      const on = { wallet: thefts.below(wallets), terminal: thefts.below(terminals) };
      items.push({ kind: "fault", fault: "stolen-issuer-keys", ...on, at: begin + thefts.between(8, 22) * 3_600_000 });
    }
  }
  const numbered = items.map((item, index): PlanItem => ({ ...item, id: firstId + index }));
  return numbered.sort((left, right) => left.at - right.at || left.id - right.id);
}

function countOf({ perHundred, least }: Frequency, wallets: number, random: Seeded): number {
  const expected = Math.max(least, (perHundred * wallets) / 100);
  return Math.floor(expected) + (random.chance(expected % 1) ? 1 : 0);
}
