import type { Coverage } from "./coverage.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { mutateCbor } from "./mutate-cbor.ts";
import { mutateText } from "./mutate-text.ts";
import type { Random } from "./random.ts";
import type { Target } from "./target.ts";

/** Asking V8 for its counters costs as much as hundreds of inputs. */
const BATCH = 256;
/** Longer inputs only cost time: no bound of the protocol is tested by length alone beyond this but by targets' seeds. */
const LONGEST = 8_192;
/** One input that takes more of the processor has found something, whatever it returns. */
const SLOW_MS = 2_000;

export type Finding = { readonly target: string; readonly input: Uint8Array; readonly error: unknown };
export type Report = {
  readonly target: string;
  readonly inputs: number;
  readonly seconds: number;
  /** Characters of our sources that the inputs reached. */
  readonly reached: number;
  readonly corpus: readonly Uint8Array[];
  /** Of them, those that were found now. */
  readonly added: number;
  readonly findings: readonly Finding[];
};

/**
 * Changes inputs of the corpus at random, keeps those that reach code that none before has reached, and goes on from
 * there, until the time is up. Stops early at the first few findings.
 */
export async function search(
  target: Target,
  about: {
    readonly corpus: readonly Uint8Array[];
    /** Whether inputs of the corpus that reach nothing of their own any more are left out: that asks for each of them. */
    readonly thinsOut?: boolean;
    readonly coverage: Coverage;
    readonly random: Random;
    readonly until: () => boolean;
    readonly mostFindings: number;
  },
): Promise<Report> {
  const { coverage, random } = about;
  const begin = performance.now();
  const findings: Finding[] = [];
  const corpus: Uint8Array[] = [];
  let inputs = 0;

  async function attempt(input: Uint8Array): Promise<void> {
    inputs += 1;
    const error = await faultOf(target, input);
    const isKnown = findings.some((finding) => keyOf(finding.input) === keyOf(input));
    if (error !== undefined && !isKnown) findings.push({ target: target.name, input, error });
  }
  /** Runs inputs again, in ever smaller halves, and keeps those that reach something new. */
  async function keepWhatIsNew(batch: readonly Uint8Array[]): Promise<void> {
    for (const input of batch) await attempt(input);
    const [only] = batch;
    if (only === undefined || coverage.news(batch.length === 1) === 0) return;
    if (batch.length === 1) {
      corpus.push(only);
      return;
    }
    const middle = batch.length >> 1;
    await keepWhatIsNew(batch.slice(0, middle));
    await keepWhatIsNew(batch.slice(middle));
  }

  if (about.thinsOut) await keepWhatIsNew([...about.corpus, ...target.seeds]);
  else {
    for (const input of about.corpus) await attempt(input);
    coverage.news(true);
    corpus.push(...about.corpus);
    await keepWhatIsNew(target.seeds);
  }
  if (corpus.length === 0) corpus.push(new Uint8Array());
  const known = new Set(about.corpus.map(keyOf));
  while (!about.until() && findings.length < about.mostFindings) {
    const batch: Uint8Array[] = [];
    for (let count = 0; count < BATCH && !about.until() && findings.length < about.mostFindings; count++) {
      const input = mutate(corpus, target, random);
      batch.push(input);
      await attempt(input);
    }
    if (coverage.news(false) > 0) await keepWhatIsNew(batch);
  }
  const seconds = (performance.now() - begin) / 1000;
  const added = corpus.filter((input) => !known.has(keyOf(input))).length;
  return { target: target.name, inputs, seconds, reached: coverage.reached, corpus, added, findings };
}

const keyOf = (input: Uint8Array): string => Buffer.from(input).toString("latin1");

/** What the input shows, or undefined when all is well. Waiting does not count: a busy machine lets anything wait. */
export async function faultOf(target: Target, input: Uint8Array, slowMs = SLOW_MS): Promise<unknown> {
  const begin = process.cpuUsage();
  try {
    await target.run(input.slice());
  } catch (error) {
    return error ?? new Error("Something undefined was thrown.");
  }
  const { user, system } = process.cpuUsage(begin);
  const milliseconds = (user + system) / 1_000;
  return milliseconds > slowMs ? new Error(`It took ${Math.round(milliseconds)} ms of the processor.`) : undefined;
}

/** One to a few changes of an input of the corpus; newer ones are taken more often. */
function mutate(corpus: readonly Uint8Array[], target: Target, random: Random): Uint8Array {
  const at =
    random.below(2) === 0 ? random.below(corpus.length) : corpus.length - 1 - random.below(Math.min(16, corpus.length));
  let input = corpus[at] ?? new Uint8Array();
  for (let changes = 1 + random.below(1 + random.below(6)); changes > 0; changes--) {
    const other = random.pick(corpus);
    const structured =
      target.shape === "bytes" || random.below(4) === 0 ? undefined : STRUCTURED[target.shape](input, random, other);
    input = (structured ?? mutateBytes(input, random, other)).slice(0, LONGEST);
  }
  return input;
}

const STRUCTURED = { cbor: mutateCbor, text: mutateText };
