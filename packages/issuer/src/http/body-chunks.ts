import type { IncomingMessage } from "node:http";
import type { Transform } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib";
import { EdgeError } from "./problems.ts";

const UNPACKERS: ReadonlyMap<string, () => Transform> = new Map(
  Object.entries({
    gzip: () => createGunzip(),
    deflate: () => createInflate(),
    br: () => createBrotliDecompress(),
    zstd: () => createZstdDecompress(),
  }),
);

/** Signatures do not shrink: what is real never comes near this. */
const MOST_UNPACKED_OF_ONE = 16;
/** What anybody may have unpacked, whatever was sent. */
const UNPACKED_AT_LEAST = 65_536;

/**
 * A body as it comes, unpacked bit by bit, but not many times what was sent: else two kilobytes would hold two megabytes
 * of memory for as long as a portion has to arrive, before anybody knows who sends it.
 * @throws EdgeError CONTENT_ENCODING_UNSUPPORTED; BODY_TOO_LARGE while iterating.
 */
export function unpackedBody(request: IncomingMessage): AsyncIterable<Uint8Array> {
  const encoding = request.headers["content-encoding"]?.toLowerCase();
  if (encoding === undefined || encoding === "identity") return request;
  const unpacker = UNPACKERS.get(encoding)?.();
  if (unpacker === undefined) throw new EdgeError("CONTENT_ENCODING_UNSUPPORTED");
  // Not `pipeline`, which on bad bytes would take the connection down before the answer was told.
  request.on("error", (error) => unpacker.destroy(error));
  let sent = 0;
  request.on("data", ({ length }: Uint8Array) => {
    sent += length;
  });
  return bounded(request.pipe(unpacker), () => Math.max(UNPACKED_AT_LEAST, MOST_UNPACKED_OF_ONE * sent));
}

async function* bounded(chunks: AsyncIterable<Uint8Array>, most: () => number): AsyncGenerator<Uint8Array> {
  let unpacked = 0;
  for await (const chunk of chunks) {
    unpacked += chunk.length;
    if (unpacked > most()) throw new EdgeError("BODY_TOO_LARGE");
    yield chunk;
  }
}

export type ChunkLimits = {
  /** Longest pause between two calls of `next` that each wait for bytes. */
  readonly milliseconds: number;
  /** Ends it with SHUTTING_DOWN. */
  readonly closing: AbortSignal;
};

/**
 * The chunks of a body for as long as they come in time. Waiting is counted from one `reset` to the next, so that
 * sending a byte now and then keeps nothing open; the time that a reader takes for its work does not count.
 * @throws EdgeError REQUEST_TIMEOUT, SHUTTING_DOWN, BODY_ENCODING_INVALID; the connection's own error.
 */
export class TimedChunks implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #limits: ChunkLimits;
  #leftMs: number;

  constructor(body: AsyncIterable<Uint8Array>, limits: ChunkLimits) {
    this.#chunks = body[Symbol.asyncIterator]();
    this.#limits = limits;
    this.#leftMs = limits.milliseconds;
  }

  /** Something whole has arrived: the time begins anew. */
  reset(): void {
    this.#leftMs = this.#limits.milliseconds;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const begin = performance.now();
      const next = await this.#nextInTime();
      this.#leftMs -= performance.now() - begin;
      if (next.done === true) return;
      yield next.value;
    }
  }

  async #nextInTime(): Promise<IteratorResult<Uint8Array>> {
    const answered = new AbortController();
    const signal = AbortSignal.any([answered.signal, this.#limits.closing]);
    const late = setTimeout(Math.max(this.#leftMs, 0), undefined, { signal }).then(
      () => new EdgeError("REQUEST_TIMEOUT"),
      () => new EdgeError("SHUTTING_DOWN"),
    );
    try {
      const first = await Promise.race([this.#chunks.next().catch(asEdgeError), late]);
      if (first instanceof Error) throw first;
      return first;
    } finally {
      answered.abort();
    }
  }
}

/** What zlib says of bad bytes; the connection's own errors stay what they are. */
function asEdgeError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error("A body failed.", { cause: error });
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const isUnpacking = /^(Z_|ERR__|ZSTD_)/.test(code);
  return isUnpacking ? new EdgeError("BODY_ENCODING_INVALID") : error;
}
