import { decodeCborViews } from "@cairn/cose";
import { MAXIMUM_BODY_BYTES } from "@cairn/messages";
import { ServiceError } from "../services/service-error.ts";
import { asMalformed } from "../services/signed-calls.ts";
import { EdgeError } from "./problems.ts";

const BYTE_STRING = 2;
/** The head of a length that is longer than any portion, unless it is not minimal. */
const EIGHT_BYTES = 27;
/** Initial byte and at most four bytes of length: more would be longer than any portion. */
const HEAD_BYTES = new Map([
  [24, 2],
  [25, 3],
  [26, 5],
]);
const LONGEST_HEAD = 5;

/**
 * The portions of a streamed body: a CBOR sequence (RFC 8742) of byte strings, as its bytes come in. At most one portion
 * is held, and none that says to be longer than a call may be.
 * @throws ServiceError CALL_MALFORMED, EdgeError BODY_TOO_LARGE; what the chunks throw.
 */
export async function* readPortions(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = [];
  let size = 0;
  let needed = 1;
  for await (const chunk of chunks) {
    held.push(chunk);
    size += chunk.length;
    while (size >= needed) {
      needed = itemBytes(Buffer.concat(held, Math.min(size, LONGEST_HEAD)));
      if (size < needed) break;
      // Put together once, exactly as long as it is: its records are views of it, which keep it as long as they wait.
      yield portionOf(Buffer.concat(held, needed));
      held = behind(held, needed);
      size -= needed;
      needed = 1;
    }
  }
  // The last one is cut off.
  if (size > 0) throw malformed("BUNDLE_MALFORMED");
}

/** What of the chunks follows their first `length` bytes. */
function behind(chunks: readonly Uint8Array[], length: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  let start = length;
  for (const chunk of chunks) {
    if (chunk.length > start) rest.push(chunk.subarray(start));
    start = Math.max(0, start - chunk.length);
  }
  return rest;
}

/** The length of the item that begins here; while its head is not there as a whole, the head's. */
function itemBytes(bytes: Uint8Array): number {
  const [initial = 0] = bytes;
  if (initial >> 5 !== BYTE_STRING) throw malformed("BUNDLE_MALFORMED");
  const short = initial & 0x1f;
  if (short < 24) return 1 + short;
  const head = HEAD_BYTES.get(short);
  if (head === undefined) throw short === EIGHT_BYTES ? new EdgeError("BODY_TOO_LARGE") : malformed("CBOR_UNSUPPORTED");
  if (bytes.length < head) return head;
  let length = 0;
  for (const byte of bytes.subarray(1, head)) length = length * 256 + byte;
  if (length > MAXIMUM_BODY_BYTES) throw new EdgeError("BODY_TOO_LARGE");
  return head + length;
}

/** The strict decoder has the last word: a length in more bytes than it needs is refused, as everywhere. */
function portionOf(item: Uint8Array): Uint8Array {
  const value = asMalformed(() => decodeCborViews(item));
  if (value instanceof Uint8Array) return value;
  throw malformed("BUNDLE_MALFORMED");
}

const malformed = (code: "BUNDLE_MALFORMED" | "CBOR_UNSUPPORTED"): ServiceError =>
  new ServiceError("CALL_MALFORMED", code);
