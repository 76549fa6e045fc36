import { type Done, PROMISES, type PromiseNumber } from "./search.ts";

export type Row = {
  readonly promise: PromiseNumber;
  readonly never: string;
  readonly method: string;
  readonly searched: number;
  readonly unit: string;
  readonly held: boolean;
};

/** For each promise, what looked for its breach, how far, and with what result. */
export function rowsOf(all: readonly Done[]): Row[] {
  const promises = Object.keys(PROMISES).map((key) => Number(key) as PromiseNumber);
  return promises.flatMap((promise) =>
    all
      .filter(({ search }) => search.promises.includes(promise))
      .map(({ search, outcome }) => ({
        promise,
        never: PROMISES[promise],
        method: search.method,
        searched: outcome.searched,
        unit: outcome.unit,
        // A search that searched nothing has shown nothing.
        held: outcome.found.length === 0 && outcome.searched > 0,
      })),
  );
}

/** Markdown, so that what is printed can be kept as it is. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ promise, never, method, searched, unit, held }, index) => [
    rows[index - 1]?.promise === promise ? "" : `${promise}. ${never}`,
    method,
    `${searched.toLocaleString("en")} ${unit}`,
    held ? "held" : "BROKEN",
  ]);
  const head = ["may never happen", "method", "searched", "result"];
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...cells.map(line)].join("\n");
}
