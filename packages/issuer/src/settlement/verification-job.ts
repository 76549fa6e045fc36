import {
  compressedPoint,
  type P256PublicKey,
  publicKeyFromPoint,
  SIGNATURE_LENGTH,
  type SignatureToVerify,
} from "@cairn/cose";
import type { FoundSignatures } from "./verify-signatures.ts";

/**
 * Signatures on their way to a verifying thread: columns rather than objects, in buffers that change hands. Cloning
 * objects with their names costs as much as half a signature each.
 */
export type VerificationJob = {
  readonly jobId: number;
  /** Compressed points, each once. */
  readonly keys: Uint8Array<ArrayBuffer>;
  /** For each signature the position of its key. */
  readonly keyOf: Uint32Array<ArrayBuffer>;
  /** Messages, and in place of those that come with a hint their digests. */
  readonly messages: Uint8Array<ArrayBuffer>;
  /** Where in `messages` each one ends. */
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly signatures: Uint8Array<ArrayBuffer>;
  readonly hints: Uint8Array<ArrayBuffer>;
  /** 1 for each signature that has a hint. */
  readonly hasHint: Uint8Array<ArrayBuffer>;
  readonly bringers: Uint32Array<ArrayBuffer>;
};

export type VerificationAnswer = FoundSignatures & { readonly jobId: number };

const KEY_BYTES = 33;
const HINT_BYTES = 32;

export function packJob(
  jobId: number,
  asked: readonly SignatureToVerify[],
  bringers: readonly number[],
): VerificationJob {
  const count = asked.length;
  const positions = new Map<P256PublicKey, number>();
  const keyOf = new Uint32Array(count);
  const messages = new Uint8Array(asked.reduce((length, each) => length + signedBy(each).length, 0));
  const ends = new Uint32Array(count);
  const signatures = new Uint8Array(count * SIGNATURE_LENGTH);
  const hints = new Uint8Array(count * HINT_BYTES);
  const hasHint = new Uint8Array(count);
  let end = 0;
  for (let index = 0; index < count; index++) {
    const each = asked[index] as SignatureToVerify;
    const { publicKey, signature, hint } = each;
    const message = signedBy(each);
    let position = positions.get(publicKey);
    if (position === undefined) {
      position = positions.size;
      positions.set(publicKey, position);
    }
    keyOf[index] = position;
    messages.set(message, end);
    end += message.length;
    ends[index] = end;
    signatures.set(signature, index * SIGNATURE_LENGTH);
    if (hint === undefined) continue;
    hints.set(hint, index * HINT_BYTES);
    hasHint[index] = 1;
  }
  const keys = new Uint8Array(positions.size * KEY_BYTES);
  for (const [key, position] of positions) keys.set(compressedPoint(key), position * KEY_BYTES);
  return { jobId, keys, keyOf, messages, ends, signatures, hints, hasHint, bringers: Uint32Array.from(bringers) };
}

const signedBy = (asked: SignatureToVerify): Uint8Array => (asked.hint === undefined ? asked.message : asked.digest);

/** What changes hands with a job. */
export const buffersOf = (job: VerificationJob): ArrayBuffer[] =>
  [job.keys, job.keyOf, job.messages, job.ends, job.signatures, job.hints, job.hasHint, job.bringers].map(
    ({ buffer }) => buffer,
  );

/** @param readKey Gives the key of a compressed point: the same object for the same point as long as it is remembered. */
export function unpackJob(
  { keys, keyOf, messages, ends, signatures, hints, hasHint }: VerificationJob,
  readKey: (point: Uint8Array) => P256PublicKey = publicKeyFromPoint,
): readonly SignatureToVerify[] {
  const publicKeys: P256PublicKey[] = [];
  for (let start = 0; start < keys.length; start += KEY_BYTES)
    publicKeys.push(readKey(keys.subarray(start, start + KEY_BYTES)));
  const asked: SignatureToVerify[] = [];
  let begin = 0;
  for (const [index, end] of ends.entries()) {
    const publicKey = publicKeys[keyOf[index] ?? 0];
    if (publicKey === undefined) throw new RangeError("A signature without its key.");
    const message = messages.subarray(begin, end);
    const signature = signatures.subarray(index * SIGNATURE_LENGTH, (index + 1) * SIGNATURE_LENGTH);
    const hint = hints.subarray(index * HINT_BYTES, (index + 1) * HINT_BYTES);
    asked.push(
      hasHint[index] === 1 ? { publicKey, digest: message, signature, hint } : { publicKey, message, signature },
    );
    begin = end;
  }
  return asked;
}
