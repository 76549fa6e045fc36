import { encodeCbor } from "@cairn/cose";
import {
  deviceIdOf,
  followingNonce,
  joinRecords,
  readSignedCall,
  type ServerNonce,
  writeSignedCall,
} from "@cairn/messages";
import { PortionAnswer, Problem, UploadEnd } from "../api/device-api.ts";
import { systemClock } from "../clock.ts";
import { clientFault, problemAsError } from "./client-error.ts";
import { IssuerClient, type IssuerClientOptions } from "./issuer-client.ts";
import { decodeEvent, readEvents } from "./read-events.ts";
import { Transport } from "./transport.ts";

export type StreamedUploadOptions = {
  /** Portions that may be on their way before the first is acknowledged. Default 1: the next is asked for after the answer. */
  readonly inFlight?: number;
  readonly signal?: AbortSignal;
  /** A connection that acknowledges nothing for so long counts as lost. Default 60,000. */
  readonly silenceMs?: number;
};

/**
 * Uploads portion after portion over one connection. Each answer says that its portion is durable at the server: keep
 * that, and begin with the rest when the connection is lost; what was sent twice counts once. Needs a runtime whose
 * `fetch` sends streams, as Node.js does; elsewhere `IssuerClient.upload` does the same call by call.
 * Protocol: docs/spec/messages.md "Upload streams".
 * @param portions Upload records (`encodeUploadRecord`), at most 1,000 in a portion. Read as far as they are sent.
 * @returns The lists and the payee certificate, once all is durable.
 * @throws ClientError: ISSUER_UNREACHABLE or ISSUER_TIMEOUT when the connection was lost, else the server's problem.
 */
export async function* streamUpload(
  issuer: IssuerClientOptions,
  portions: AsyncIterable<readonly Uint8Array[]>,
  options: StreamedUploadOptions = {},
): AsyncGenerator<PortionAnswer, UploadEnd, undefined> {
  const { inFlight = 1, silenceMs = 60_000 } = options;
  const over = new AbortController();
  const signal = options.signal === undefined ? over.signal : AbortSignal.any([over.signal, options.signal]);
  const nonce = await new IssuerClient(issuer).nonce();
  const window = new Window(inFlight, signal);
  const source = new Source(portions);
  const bytes = streamOf(signedPortions(issuer, source, { nonce, window }));
  const call = { method: "POST", path: "/v1/uploads/stream", body: { type: "application/cbor-seq", bytes } } as const;
  // Something on the way may hold everything back until the upload is over, which it never is without an answer.
  const silence = setTimeout(() => over.abort(), silenceMs);
  try {
    const answers = await new Transport(issuer).stream(call, signal);
    clearTimeout(silence);
    for await (const { event, data } of readEvents(answers, { silenceMs, onSilence: () => over.abort() })) {
      if (event === "received") {
        const answer = decodeEvent(PortionAnswer, data);
        yield answer;
        window.leave();
      } else if (event === "end") return decodeEvent(UploadEnd, data);
      else if (event === "problem") throw problemAsError(decodeEvent(Problem, data));
    }
    throw clientFault("ISSUER_UNREACHABLE", new Error("The answer broke off."));
  } catch (error) {
    throw source.failure === undefined ? error : source.failure.error;
  } finally {
    clearTimeout(silence);
    over.abort();
  }
}

/** Each portion is an upload call by itself; its nonce names the portion before it. */
async function* signedPortions(
  issuer: IssuerClientOptions,
  source: Source,
  start: { readonly nonce: ServerNonce; readonly window: Window },
): AsyncGenerator<Uint8Array> {
  const { signer, crypto, clock = systemClock } = issuer;
  const callerId = deviceIdOf(signer.publicKey, crypto);
  let { nonce } = start;
  try {
    for (;;) {
      await start.window.enter();
      const next = await source.next();
      if (next.done === true) return;
      const about = { callerId, nonce, content: joinRecords(next.value), issuedAt: clock.nowSeconds() };
      const body = await writeSignedCall("upload", about, { signer, crypto });
      nonce = followingNonce(readSignedCall("upload", body, crypto).envelope.messageId);
      yield encodeCbor(body);
    }
  } finally {
    await source.close();
  }
}

/** The caller's portions. When they fail the connection falls with them; the caller hears why. */
class Source {
  readonly #portions: AsyncIterator<readonly Uint8Array[]>;
  failure: { readonly error: unknown } | undefined;

  constructor(portions: AsyncIterable<readonly Uint8Array[]>) {
    this.#portions = portions[Symbol.asyncIterator]();
  }

  async next(): Promise<IteratorResult<readonly Uint8Array[]>> {
    try {
      return await this.#portions.next();
    } catch (error) {
      this.failure = { error };
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#portions.return?.();
  }
}

/** How many may be under way; who comes when it is full waits for one to leave. */
class Window {
  #free: number;
  #waiting: (() => void) | undefined;
  readonly #signal: AbortSignal;

  constructor(size: number, signal: AbortSignal) {
    this.#free = size;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#waiting?.(), { once: true });
  }

  async enter(): Promise<void> {
    while (this.#free === 0 && !this.#signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = resolve;
      await promise;
    }
    this.#signal.throwIfAborted();
    this.#free--;
  }

  leave(): void {
    this.#free++;
    this.#waiting?.();
  }
}

/** Read only when the connection takes more. */
function streamOf(source: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next = await source.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: async () => void (await source.return(undefined)),
    },
    { highWaterMark: 0 },
  );
}
