import type { SimulationOptions } from "../options.ts";
import type { Day, Outcome } from "../simulate.ts";
import { money } from "../story.ts";

const MOST_REFUSALS = 5;
const BAR_WIDTH = 48;
/** Rows of the chart: longer runs show every so many days. */
const MOST_ROWS = 28;

/** What a run without a broken promise ends with. */
export function summary(options: SimulationOptions, outcome: Outcome, seconds: number): readonly string[] {
  const { counts, payments, network, days } = outcome;
  const last = days.at(-1);
  const whole = (figure: number): string => Math.round(figure).toLocaleString("en");
  return [
    "",
    `${whole(payments.made)} payments made, ${whole(payments.accepted)} accepted, ${whole(payments.settled)} settled` +
      ` for ${money(last?.settledMinor ?? 0n)}; ${whole(payments.refused)} purchases refused.`,
    ...refusalLines(outcome),
    ...faultLines(outcome),
    ...(options.faults.has("network")
      ? [
          `Network: ${whole(network.messages)} messages, ${network.lost} lost, ${network.repeated} twice, ${network.late} late.`,
        ]
      : []),
    `Attackers: ${outcome.conflicts} conflicts proven, ${money(last?.lossMinor ?? 0n)} taken from the reserve,` +
      ` at most ${money(outcome.ceilingMinor)} by the promised bounds.`,
    "",
    ...chart(days),
    "",
    `All seven promises held over ${whole(counts.postings)} postings, and everything came right in the end.`,
    `${whole(counts.events)} events in ${seconds.toFixed(1)} s of one core: ${whole(counts.events / seconds)} a second,` +
      ` ${whole(payments.settled / seconds)} payments a second.`,
    `(${whole(counts.kernel)} happenings, ${whole(counts.messages)} messages, ${whole(counts.diskRecords)} records written,` +
      ` ${whole(counts.diskSyncs)} syncs, ${whole(counts.postings)} postings checked)`,
  ];
}

function refusalLines({ refusals }: Outcome): readonly string[] {
  const most = [...refusals].sort(([, left], [, right]) => right - left).slice(0, MOST_REFUSALS);
  if (most.length === 0) return [];
  return [`Refused most of all: ${most.map(([code, count]) => `${code} ${count.toLocaleString("en")}`).join(", ")}.`];
}

function faultLines({ faults, strikes }: Outcome): readonly string[] {
  const met = new Map<string, number>(faults);
  for (const { kind } of strikes) met.set(kind, (met.get(kind) ?? 0) + 1);
  if (met.size === 0) return ["Faults: none."];
  const sorted = [...met].sort(([, left], [, right]) => right - left);
  return [`Faults: ${sorted.map(([kind, count]) => `${kind} ${count.toLocaleString("en")}`).join(", ")}.`];
}

/** Exposure and losses over the days. */
function chart(days: readonly Day[]): readonly string[] {
  const every = Math.ceil(days.length / MOST_ROWS);
  const shown = days.filter(({ day }) => day % every === 0 || day === days.length);
  const most = shown.reduce((largest, { exposureMinor }) => Math.max(largest, Number(exposureMinor)), 1);
  const rows = shown.map(({ day, exposureMinor, lossMinor, settledMinor }) => {
    const filled = Math.round((Number(exposureMinor) / most) * BAR_WIDTH);
    const lost = Math.min(filled, Math.ceil((Number(lossMinor) / most) * BAR_WIDTH));
    const bar = `${"x".repeat(lost)}${"#".repeat(filled - lost)}`.padEnd(BAR_WIDTH);
    return `${String(day).padStart(4)} ${bar} ${money(exposureMinor).padStart(12)} ${money(settledMinor).padStart(12)} ${money(lossMinor).padStart(10)}`;
  });
  const head = `${" day".padEnd(5)}${"exposure (#), lost so far (x)".padEnd(BAR_WIDTH + 1)}${"exposed".padStart(12)} ${"settled".padStart(12)} ${"lost".padStart(10)}`;
  return [head, ...rows];
}
