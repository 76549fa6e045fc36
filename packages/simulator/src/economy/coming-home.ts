import { DEFAULT_POLICY } from "@cairn/issue";
import type { SimulationOptions } from "../options.ts";
import { perform } from "../parties/party.ts";
import type { SimulatedTerminal } from "../parties/terminal.ts";
import { whatIsStillWrong } from "../promises/convergence.ts";
import type { Violation } from "../promises/violation.ts";
import { bringInTheLastSecond } from "./last-seconds.ts";
import { DAY_MS, type PlanItem } from "./plan.ts";
import type { World } from "./world.ts";

/** After the longest certificate and the upload deadline, with a day to spare: every economy's policy has these. */
const AFTERMATH_DAYS =
  Math.ceil(
    (Math.max(...Object.values(DEFAULT_POLICY.validitySecondsByScoreBand)) + DEFAULT_POLICY.uploadDeadlineSeconds) /
      86_400,
  ) + 1;
/** When everybody is online again: at once, a little later, and when all deadlines have passed. */
const HOMECOMINGS = [0.5, 1, 2, AFTERMATH_DAYS - 0.5];

/** Of the terminals, counted from the last: one comes home when it is too late, one when it almost is. */
const LATE = -1;
const PUNCTUAL = -2;
/** With fewer terminals nobody is late: some must go on as usual. */
const FEWEST_TERMINALS = 3;

/** What the terminals that come home late bring on the last day waits as well. */
export function isKeptBack(item: PlanItem, { faults, terminals }: SimulationOptions): boolean {
  if (item.kind !== "upload") return false;
  return (
    (item.terminal === terminals + LATE && faults.has("stale-lists")) ||
    (item.terminal === terminals + PUNCTUAL && faults.has("last-seconds") && terminals >= FEWEST_TERMINALS)
  );
}

/** Faults stop; everybody comes home again and again; deadlines pass. Then everything must be as it should. */
export async function comeRight(world: World, isBroken: () => boolean): Promise<void> {
  const { kernel, fate, terminals } = world;
  const { faults } = world.options;
  fate.isOver = true;
  const begin = kernel.now;
  world.tell(() => "faults stop, and everybody comes home");
  const late = faults.has("stale-lists") ? terminals.at(LATE) : undefined;
  const isLastSecond = faults.has("last-seconds") && terminals.length >= FEWEST_TERMINALS;
  const punctual = isLastSecond ? terminals.at(PUNCTUAL) : undefined;
  let punctualCause = -9_000_000;
  for (const [round, days] of HOMECOMINGS.entries()) {
    const at = begin + days * DAY_MS;
    const isLast = round === HOMECOMINGS.length - 1;
    let cause = -1 - round * 1_000_000;
    for (const terminal of terminals) {
      if (terminal === late && !isLast) continue;
      if (terminal === punctual && !isLast) {
        kernel.begin(at, cause--, () => bringInTheLastSecond(world, terminal, () => punctualCause--));
        continue;
      }
      for (const afterMs of [0, 3_600_000])
        kernel.begin(at + afterMs, cause--, () => online(world, terminal, () => terminal.upload()));
    }
    for (const wallet of [...world.wallets.values(), ...world.otherWallets])
      kernel.begin(at + 600_000, cause--, () => online(world, wallet, () => world.comesOnline(wallet)));
  }
  await kernel.run(begin + AFTERMATH_DAYS * DAY_MS, isBroken);
  if (isBroken()) return;
  await guarded(world, async () => {
    await world.watch.look();
    await world.watch.lookForBlame();
    await noteFirst(world, whatIsStillWrong(world));
  });
}

async function online(
  world: World,
  { node }: Pick<SimulatedTerminal, "node">,
  work: () => Promise<void>,
): Promise<void> {
  await perform(world, node, 0, work);
}

export async function noteFirst(world: World, violations: AsyncIterable<Violation>): Promise<void> {
  for await (const violation of violations) {
    world.violation ??= violation;
    return;
  }
}

/** The watch reports by throwing, and has then put down what it saw. */
export async function guarded(world: World, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (world.violation === undefined) throw error;
  }
}
