import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { addCommand, EXIT, type Printer, wholeNumber } from "@cairn/issuer/command";
import { type Command, InvalidArgumentError, Option } from "commander";
import { FAULT_KINDS, FAULTS, type FaultKind } from "../faults.ts";
import { DEFAULT_OPTIONS, type SimulationOptions } from "../options.ts";
import { shortestStory } from "../shrink.ts";
import type { Counts, Day, Outcome } from "../simulate.ts";
import { money } from "../story.ts";
import { type Ran, runEconomies } from "./economies.ts";
import { summary } from "./summary.ts";

type Options = {
  readonly seed?: string;
  readonly runs: number;
  readonly jobs: number;
  readonly days: number;
  readonly wallets: number;
  readonly terminals?: number;
  readonly paymentsPerDay: number;
  readonly faults: ReadonlySet<FaultKind>;
  readonly store: SimulationOptions["store"];
  readonly realSignatures?: boolean;
  readonly only?: ReadonlySet<string>;
  readonly story?: boolean;
  readonly shrink: boolean;
};

const CORES = availableParallelism();

export function addSimulateCommand(program: Command): void {
  addCommand<Options>(
    program,
    "simulate",
    "Run a whole economy in virtual time, with faults and attackers, on the code that ships; look for a broken promise.",
    (command) =>
      command
        .option("--seed <text>", "the same seed, the same economy (default: a new one, which is printed)")
        .option("--runs <count>", "so many economies, each with a seed of its own", wholeNumber(1), 1)
        .option("--jobs <count>", "so many of them at once (default: one on each core)", wholeNumber(1), CORES)
        .option("--days <count>", "virtual days", wholeNumber(1), DEFAULT_OPTIONS.days)
        .option("--wallets <count>", "people with a phone", wholeNumber(1), DEFAULT_OPTIONS.wallets)
        .option("--terminals <count>", "tills and gates (default: one for five wallets)", wholeNumber(1))
        .option("--payments-per-day <count>", "by each wallet", wholeNumber(1), DEFAULT_OPTIONS.paymentsPerDay)
        .addOption(
          new Option("--faults <kinds>", "all, none, or some of those below, with commas")
            .argParser(faultsOf)
            .default(new Set(FAULT_KINDS), "all"),
        )
        .option("--store <kind>", "the issuer's store: memory, or sqlite, which is slower", storeOf, "memory")
        .option("--real-signatures", "ES256 rather than keyed checksums, which is slower")
        .option("--only <ids>", "only these items of the plan and strikes of fate: what a failing run prints", idsOf)
        .option("--story", "tell everything that happens")
        .option("--no-shrink", "do not look for the shortest story of a broken promise")
        .addHelpText(
          "after",
          `\nFaults:\n${FAULT_KINDS.map((kind) => `  ${kind.padEnd(18)} ${FAULTS[kind]}`).join("\n")}`,
        ),
    run,
  );
}

async function run(printer: Printer, options: Options): Promise<void> {
  const first = options.seed ?? randomBytes(4).toString("hex");
  const seeds = Array.from({ length: options.runs }, (_, number) =>
    options.runs === 1 ? first : `${first}-${number + 1}`,
  );
  const all = seeds.map((seed) => simulationOf(seed, options));
  const isAlone = options.jobs === 1 || options.runs === 1;
  const size = `${options.days} days, ${options.wallets} wallets, ${all[0]?.terminals ?? 0} terminals`;
  printer.progress(
    options.runs === 1
      ? `Seed ${first}: ${size}.`
      : `Seeds ${first}-1 to ${first}-${options.runs}: ${size} each; ${Math.min(options.jobs, options.runs)} at once.`,
  );
  const shown: object[] = [];
  for await (const ran of runEconomies(all, options.jobs, ({ seed }, day, counts) =>
    printer.progress(`${isAlone ? "" : `  ${seed}`}${progressOf(day, counts)}`),
  )) {
    if (options.runs > 1) printer.progress(`Seed ${ran.options.seed} is done.`);
    shown.push(await told(printer, options, ran));
    if (ran.outcome.violation !== undefined) process.exitCode = EXIT.failed;
  }
  printer.result(options.runs === 1 ? (shown[0] ?? {}) : { runs: shown });
}

function simulationOf(seed: string, options: Options): SimulationOptions {
  const { days, wallets, paymentsPerDay, faults, only, store } = options;
  return {
    seed,
    days,
    wallets,
    terminals: options.terminals ?? Math.max(2, Math.floor(wallets / 5)),
    paymentsPerDay,
    faults,
    store,
    only,
    realSignatures: options.realSignatures === true,
    isTold: options.story === true || only !== undefined,
  };
}

/** Prints what became of an economy, and gives what `--json` shows of it. */
async function told(printer: Printer, { shrink }: Options, ran: Ran): Promise<object> {
  const { options: simulation, outcome, cpuSeconds } = ran;
  const { only } = simulation;
  if (simulation.isTold) for (const { at, says } of outcome.story) printer.line(`${at}  ${says}`);
  const { violation } = outcome;
  const shown = shownOf(simulation, outcome, cpuSeconds);
  if (violation === undefined) {
    for (const line of summary(simulation, outcome, cpuSeconds)) printer.line(line);
    return shown;
  }
  printer.line(`Promise ${violation.promise} is broken: ${violation.says}`);
  if (!shrink || only !== undefined) return { ...shown, replay: replayOf(simulation, only) };
  printer.progress("Looking for the shortest story...");
  const shortest = await shortestStory(simulation, outcome, (left, runs) => {
    if (runs % 20 === 0) printer.progress(`  ${runs} runs, ${left} things left`);
  });
  const replay = replayOf({ ...simulation, days: shortest.days }, new Set(shortest.only));
  printer.line("");
  for (const { at, says } of shortest.outcome.story) printer.line(`${at}  ${says}`);
  printer.line(`${" ".repeat(16)}! ${shortest.outcome.violation?.says ?? ""}`);
  printer.line("");
  printer.line(`Again: ${replay}`);
  const story = shortest.outcome.story.map(({ at, says }) => `${at} ${says}`);
  return { ...shown, story, replay };
}

function progressOf({ day, settled, exposureMinor, lossMinor }: Day, { events }: Counts): string {
  const figures = [`${events.toLocaleString("en")} events`, `${settled.toLocaleString("en")} payments settled`];
  return `  day ${day}: ${figures.join(", ")}, ${money(exposureMinor)} exposed, ${money(lossMinor)} lost to attackers`;
}

/** Fields of the result with --json. */
function shownOf(options: SimulationOptions, outcome: Outcome, seconds: number): object {
  const { seed, days, wallets, terminals, faults } = options;
  const { violation, counts, payments, conflicts } = outcome;
  return {
    seed,
    options: { days, wallets, terminals, faults: [...faults], store: options.store },
    kept: violation === undefined,
    violation: violation ?? null,
    counts,
    payments,
    conflicts,
    days: outcome.days,
    faults: Object.fromEntries(outcome.faults),
    refusals: Object.fromEntries(outcome.refusals),
    network: outcome.network,
    cpuSeconds: Math.round(seconds * 1_000) / 1_000,
    eventsPerSecond: Math.round(counts.events / seconds),
    paymentsPerSecond: Math.round(payments.settled / seconds),
  };
}

function replayOf(options: SimulationOptions, only: ReadonlySet<string> | undefined): string {
  const { seed, days, wallets, terminals, faults, paymentsPerDay, store } = options;
  const words = [
    "cairn simulate",
    `--seed ${seed} --days ${days} --wallets ${wallets} --terminals ${terminals}`,
    ...(paymentsPerDay === DEFAULT_OPTIONS.paymentsPerDay ? [] : [`--payments-per-day ${paymentsPerDay}`]),
    ...(faults.size === FAULT_KINDS.length ? [] : [`--faults ${[...faults].join(",") || "none"}`]),
    ...(store === "memory" ? [] : [`--store ${store}`]),
    ...(options.realSignatures ? ["--real-signatures"] : []),
    ...(only === undefined ? [] : [`--only ${[...only].join(",")}`]),
  ];
  return words.join(" ");
}

function faultsOf(text: string): ReadonlySet<FaultKind> {
  if (text === "all") return new Set(FAULT_KINDS);
  if (text === "none") return new Set();
  const kinds = text.split(",").map((name) => {
    const kind = FAULT_KINDS.find((known) => known === name.trim());
    if (kind === undefined)
      throw new InvalidArgumentError(`There is no fault "${name}". There are ${FAULT_KINDS.join(", ")}.`);
    return kind;
  });
  return new Set(kinds);
}

function storeOf(text: string): SimulationOptions["store"] {
  if (text === "memory" || text === "sqlite") return text;
  throw new InvalidArgumentError(`"${text}" is no store: memory or sqlite.`);
}

function idsOf(text: string): ReadonlySet<string> {
  const ids = text.split(",");
  const bad = ids.find((id) => !/^-?\d+(?:\.\d+)?$/.test(id));
  if (bad !== undefined) throw new InvalidArgumentError(`"${bad}" is no item of a plan and no strike.`);
  return new Set(ids);
}
