import { type Failure, failureOf } from "./outcome.ts";

/** Where a command's words go. People get lines; `--json` gets exactly one JSON value on standard output. */
export type Printer = {
  readonly json: boolean;
  /** A line for people; silent with `--json`. */
  line(text?: string): void;
  /** A line of progress on standard error, so that it never mixes with the result. */
  progress(text: string): void;
  /** The result: JSON with `--json`, nothing otherwise (the lines have said it). */
  result(value: object): void;
  /** A failure, in either form. */
  failure(error: unknown): Failure;
};

export function makePrinter(options: { readonly json: boolean; readonly quiet?: boolean }): Printer {
  const { json } = options;
  return {
    json,
    line: (text = "") => {
      if (!json) process.stdout.write(`${text}\n`);
    },
    progress: (text) => {
      if (!json && options.quiet !== true) process.stderr.write(`${text}\n`);
    },
    result: (value) => {
      if (json) process.stdout.write(`${toJson({ ok: true, ...value })}\n`);
    },
    failure: (error) => {
      const failure = failureOf(error);
      if (json) {
        const { exitCode: _, ...shown } = failure;
        process.stdout.write(`${toJson(shown)}\n`);
      } else {
        process.stderr.write(`${failure.code}: ${failure.sentence}\n`);
        if (failure.next !== undefined) process.stderr.write(`${failure.next}\n`);
      }
      return failure;
    },
  };
}

/** JSON in which amounts stay exact: whole numbers of any size as text, bytes as hexadecimal. */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, entry: unknown) => {
      if (typeof entry === "bigint") return entry.toString();
      if (entry instanceof Uint8Array) return Buffer.from(entry).toString("hex");
      return entry;
    },
    2,
  );
}

/** "2026-11-23 14:05:09" in UTC: the same on every machine, sortable, and short. */
export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ");
}

/** "1 payment", "2 payments". */
export const counted = (count: number, noun: string, nouns = `${noun}s`): string =>
  `${count} ${count === 1 ? noun : nouns}`;

/** Columns padded to their widest entry; the columns named in `right` are aligned to the right, as money is read. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  return rows.map((row) =>
    row
      .map((cell, column) =>
        right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
