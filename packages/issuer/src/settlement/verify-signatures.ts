import type { CryptoPort, HintedSignature, SignatureBatches, SignatureToVerify } from "@cairn/cose";

export type FoundSignatures = {
  /** In the order of what was asked. */
  readonly areValid: readonly boolean[];
  /** Who brought hints that made a batch fail. */
  readonly wrongHintsOf: readonly number[];
};

/** From here on a batch is faster than its signatures one by one. */
const LEAST_SIGNATURES = 8;
/** What is shared costs little by then, and one bad signature does not hold up more. */
const MOST_SIGNATURES = 512;
/** Batches of one call that may fail before the rest of it is verified one by one. */
const MOST_FAILURES = 16;

/**
 * Verifies signatures, many at a time where they have hints. A hint is believed in nothing: when a batch fails, its
 * halves are tried, down to single signatures, and what is not proven then is verified like signatures without hints. So
 * a bad signature or a wrong hint changes no answer; it costs time, and further hints of its bringer are not used. Those
 * of the others in the batch are. Decision: docs/decisions/0066-many-signatures-at-once.md.
 * @param bringers Of each signature who brought its hint, by a number.
 * @param by batches: needed for signatures with hints, of which only the digest is known.
 */
export async function verifySignatures(
  signatures: readonly SignatureToVerify[],
  bringers: readonly number[],
  { crypto, batches }: { readonly crypto: CryptoPort; readonly batches: SignatureBatches | undefined },
): Promise<FoundSignatures> {
  const { proven, wrongHintsOf } =
    batches === undefined ? NOTHING_PROVEN : proveTogether(signatures, bringers, batches);
  const areValid: boolean[] = [];
  for (const [index, asked] of signatures.entries()) {
    if (proven.has(index)) areValid.push(true);
    else if (asked.hint === undefined)
      areValid.push(await crypto.verifyEs256(asked.publicKey, asked.message, asked.signature));
    else if (batches === undefined) throw new Error("A signature came with a hint that nobody here can use.");
    else areValid.push(batches.isValid(asked));
  }
  return { areValid, wrongHintsOf: [...wrongHintsOf] };
}

type Proven = { readonly proven: ReadonlySet<number>; readonly wrongHintsOf: ReadonlySet<number> };
type Hinted = { readonly position: number; readonly bringer: number; readonly asked: HintedSignature };
const NOTHING_PROVEN: Proven = { proven: new Set(), wrongHintsOf: new Set() };

function proveTogether(
  signatures: readonly SignatureToVerify[],
  bringers: readonly number[],
  batches: SignatureBatches,
): Proven {
  const hinted: Hinted[] = [];
  for (const [position, asked] of signatures.entries())
    if (asked.hint !== undefined) hinted.push({ position, bringer: bringers[position] ?? 0, asked });
  const waiting: Hinted[][] = [];
  for (let start = 0; start < hinted.length; start += MOST_SIGNATURES)
    waiting.push(hinted.slice(start, start + MOST_SIGNATURES));
  const proven = new Set<number>();
  const wrongHintsOf = new Set<number>();
  const areProven = (batch: readonly Hinted[]): boolean => {
    if (!batches.areAllValid(batch.map(({ asked }) => asked))) return false;
    for (const { position } of batch) proven.add(position);
    return true;
  };
  let failures = 0;
  for (let batch = waiting.pop(); batch !== undefined && failures < MOST_FAILURES; batch = waiting.pop()) {
    const trusted = batch.filter(({ bringer }) => !wrongHintsOf.has(bringer));
    if (trusted.length < LEAST_SIGNATURES || areProven(trusted)) continue;
    failures += 1;
    const half = Math.ceil(trusted.length / 2);
    if (half >= LEAST_SIGNATURES) waiting.push(trusted.slice(half), trusted.slice(0, half));
    else for (const each of trusted) if (!areProven([each])) wrongHintsOf.add(each.bringer);
  }
  return { proven, wrongHintsOf };
}
