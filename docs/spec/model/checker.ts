import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The model checker, installed beside this file on first use: it is no dependency of the project (README.md). */
export const folder = fileURLToPath(new URL(".", import.meta.url));
const quint = join(folder, "node_modules/@informalsystems/quint/dist/src");
const MAXIMUM_STEPS = 40;

export type Found = {
  readonly result: "ok" | "violation";
  /** Of the invariants asked for, those that the last history broke. */
  readonly broken: readonly string[];
  /** Histories searched, up to the first that broke one. */
  readonly histories: number;
  /** In how many histories each witness was true. */
  readonly seen: Readonly<Record<string, number>>;
  /** The states of the history that says most: the one that broke an invariant, or the longest. Informal Trace Format. */
  readonly states: readonly object[];
};
export type Asked = {
  readonly invariants: readonly string[];
  readonly witnesses?: readonly string[];
  readonly samples: number;
  /** 0xN */
  readonly seed: string;
};

/** An Either of the library that Quint is built with. */
type Either<Value> = {
  isRight(): boolean;
  isLeft(): boolean;
  readonly value: Value;
};
type Stage = { readonly args: object; readonly resolver: { readonly table: unknown } };
type Outcome = {
  readonly status: "ok" | "violation" | "error";
  readonly samples: number;
  readonly witnessingTraces: readonly number[];
  readonly bestTraces: readonly { readonly states: readonly unknown[] }[];
  readonly errors: readonly unknown[];
};
type Evaluator = {
  simulate(
    init: unknown,
    step: unknown,
    invariant: unknown,
    witnesses: readonly unknown[],
    samples: number,
    steps: number,
    traces: number,
    onTrace: (index: number, status: string, names: readonly string[], states: readonly unknown[]) => void,
  ): Outcome;
  evaluate(expression: unknown): Either<{ readonly kind: string; readonly value: unknown }>;
  updateState(state: unknown): void;
};
/** What the command `quint run` is made of: the version is pinned, so these stay. */
type Quint = {
  readonly load: (args: object) => Promise<Either<Stage>>;
  readonly parse: (stage: Stage) => Promise<Either<Stage>>;
  readonly typecheck: (stage: Stage) => Promise<Either<Stage>>;
  readonly toExpr: (stage: Stage, text: string) => Either<unknown>;
  readonly Evaluator: new (table: unknown, recorder: unknown, rng: unknown, metadata: boolean) => Evaluator;
  readonly newTraceRecorder: (verbosity: number, rng: unknown, traces: number) => unknown;
  readonly newRng: (seed?: bigint) => unknown;
  readonly toItf: (
    names: readonly string[],
    states: readonly unknown[],
  ) => Either<{ readonly states: readonly object[] }>;
};

/**
 * Reads worlds.qnt. It takes seconds, more than to search a world for a while, and so it is done once for all of them.
 * @returns Searches one world at random, as `quint run` does with the same seed.
 */
export async function readModel(): Promise<(world: string, asked: Asked) => Found> {
  install();
  const { load, parse, typecheck, ...tools } = loadQuint();
  const loaded = await load({ input: join(folder, "worlds.qnt") });
  const parsed = await then(loaded, parse);
  const model = right(await then(parsed, typecheck));
  return (world, asked) => search(tools, { ...model, args: { main: world } }, asked);
}

function search(
  { toExpr, Evaluator, newTraceRecorder, newRng, toItf }: Omit<Quint, "load" | "parse" | "typecheck">,
  model: Stage,
  { invariants, witnesses = [], samples, seed }: Asked,
): Found {
  const expression = (text: string): unknown => right(toExpr(model, text));
  const { table } = model.resolver;
  const rng = newRng(BigInt(seed));
  let states: readonly object[] = [];
  const outcome = new Evaluator(table, newTraceRecorder(0, rng, 1), rng, false).simulate(
    expression("init"),
    expression("step"),
    expression(invariants.join(" and ")),
    witnesses.map(expression),
    samples,
    MAXIMUM_STEPS,
    1,
    (_index, _status, names, all) => {
      states = right(toItf(names, all)).states;
    },
  );
  if (outcome.status === "error") throw new Error(`The model stopped: ${JSON.stringify(outcome.errors)}`);
  const last = outcome.bestTraces[0]?.states.at(-1);
  const isBroken = (invariant: string): boolean => {
    const evaluator = new Evaluator(table, newTraceRecorder(0, newRng(), 1), newRng(), false);
    const asks = expression(invariant);
    // Its variables are known once it was asked.
    evaluator.evaluate(asks);
    evaluator.updateState(last);
    return right(evaluator.evaluate(asks)).value === false;
  };
  return {
    result: outcome.status,
    broken: outcome.status === "ok" ? [] : invariants.filter(isBroken),
    histories: outcome.samples,
    seen: Object.fromEntries(witnesses.map((name, index) => [name, outcome.witnessingTraces[index] ?? 0])),
    states,
  };
}

function right<Value>(either: Either<Value>): Value {
  if (either.isLeft()) throw new Error(`The model checker refuses the model: ${inWords(either.value)}`);
  return either.value;
}

async function then(stage: Either<Stage>, next: (stage: Stage) => Promise<Either<Stage>>): Promise<Either<Stage>> {
  return await next(right(stage));
}

/** What went wrong, without the whole model that comes with it. */
function inWords(fault: unknown): string {
  if (typeof fault !== "object" || fault === null) return String(fault);
  const { msg, message, stage } = fault as {
    readonly msg?: string;
    readonly message?: string;
    readonly stage?: { readonly errors?: readonly { readonly explanation: string }[] };
  };
  return [msg ?? message ?? "", ...(stage?.errors ?? []).map(({ explanation }) => explanation)].join("\n");
}

function loadQuint(): Quint {
  const require = createRequire(import.meta.url);
  const part = (name: string) => require(join(quint, name));
  const { load, parse, typecheck } = part("cliCommands.js");
  const { toExpr } = part("cliHelpers.js");
  const { Evaluator } = part("runtime/impl/evaluator.js");
  const { newTraceRecorder } = part("runtime/trace.js");
  const { newRng } = part("rng.js");
  const { toItf } = part("itf.js");
  return { load, parse, typecheck, toExpr, Evaluator, newTraceRecorder, newRng, toItf };
}

function install(): void {
  if (existsSync(quint)) return;
  process.stderr.write("Installing the model checker (once)...\n");
  const done = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (done.status !== 0) throw new Error("The model checker could not be installed: see the messages above.");
}
