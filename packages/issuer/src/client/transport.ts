import type { TSchema } from "@sinclair/typebox";
import { Problem } from "../api/device-api.ts";
import type { Decoded } from "../api/wire.ts";
import { type ClientError, clientFault, problemAsError } from "./client-error.ts";
import { decodeReply } from "./decode-reply.ts";

/** Long enough for a call with 1,000 records on a slow line. */
const DEFAULT_TIMEOUT_MS = 30_000;
/** Largest answer read: a status list of the largest size in base64, with room to spare. */
const MAXIMUM_REPLY_BYTES = 16_777_216;

export type TransportOptions = {
  readonly url: string;
  readonly timeoutMs?: number;
  readonly token?: string;
  /** Told the nonce for a next signed call that came with an answer, as it was written. */
  readonly onNonce?: (text: string) => void;
};
export type Call = {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent as it is read, and cannot be sent again. Not every browser can. */
  readonly body?: { readonly type: string; readonly bytes: Uint8Array | ReadableStream<Uint8Array> };
};

/** One HTTP call with a bounded time and a bounded answer. Never follows a redirect: signed calls are for one server. */
export class Transport {
  readonly #base: URL;
  readonly #timeoutMs: number;
  readonly #token: string | undefined;
  readonly #onNonce: ((text: string) => void) | undefined;

  /** @throws ClientError ISSUER_URL_INVALID */
  constructor(options: TransportOptions) {
    this.#base = baseOf(options.url);
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#token = options.token;
    this.#onNonce = options.onNonce;
  }

  /** @throws ClientError */
  async json<Schema extends TSchema>(call: Call, schema: Schema): Promise<Decoded<Schema>> {
    const text = new TextDecoder().decode(await this.bytes(call));
    try {
      return decodeReply(schema, JSON.parse(text));
    } catch (cause) {
      throw clientFault("ISSUER_REPLY_INVALID", cause);
    }
  }

  /** An answer that goes on: no bound but the caller's signal. @throws ClientError */
  async stream(call: Call, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.#fetch(call, signal);
    if (response.ok && response.body !== null) return response.body;
    throw readProblem(await readBounded(response));
  }

  /** @throws ClientError */
  async bytes(call: Call): Promise<Uint8Array> {
    const { status, bytes } = await this.#send(call);
    if (status >= 200 && status < 300) return bytes;
    throw readProblem(bytes);
  }

  async #send(call: Call): Promise<{ status: number; bytes: Uint8Array }> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const response = await this.#fetch(call, signal);
    try {
      return { status: response.status, bytes: await readBounded(response) };
    } catch (error) {
      if (error instanceof RangeError) throw clientFault("ISSUER_REPLY_INVALID", error);
      throw connectionFault(error);
    }
  }

  async #fetch(call: Call, signal: AbortSignal): Promise<Response> {
    try {
      const response = await fetch(this.#urlOf(call), {
        method: call.method,
        redirect: "error",
        signal,
        headers: {
          ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
          ...(call.body === undefined ? {} : { "content-type": call.body.type }),
          ...call.headers,
        },
        ...bodyOf(call),
      });
      const nonce = response.headers.get("replay-nonce");
      if (nonce !== null) this.#onNonce?.(nonce);
      return response;
    } catch (error) {
      throw connectionFault(error);
    }
  }

  #urlOf(call: Call): URL {
    const url = new URL(this.#base.pathname.replace(/\/$/, "") + call.path, this.#base);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    return url;
  }
}

/** A streamed body says that it is one (Fetch, "duplex"). */
function bodyOf({ body }: Call): Pick<RequestInit, "body"> {
  if (body === undefined) return {};
  const { bytes } = body;
  return bytes instanceof Uint8Array ? { body: new Uint8Array(bytes) } : Object.assign({ body: bytes }, DUPLEX);
}
const DUPLEX = { duplex: "half" };

function connectionFault(error: unknown): ClientError {
  const isTimeout = error instanceof Error && (error.name === "TimeoutError" || error.name === "AbortError");
  return clientFault(isTimeout ? "ISSUER_TIMEOUT" : "ISSUER_UNREACHABLE", error);
}

function baseOf(url: string): URL {
  const base = URL.canParse(url) ? new URL(url) : undefined;
  if (base === undefined || (base.protocol !== "http:" && base.protocol !== "https:"))
    throw clientFault("ISSUER_URL_INVALID");
  return base;
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  // Not every browser has streams that can be iterated over.
  for (let read = await reader?.read(); read?.value !== undefined; read = await reader?.read()) {
    length += read.value.length;
    if (length > MAXIMUM_REPLY_BYTES) {
      await reader?.cancel();
      throw new RangeError("The answer is too long.");
    }
    chunks.push(read.value);
  }
  const whole = new Uint8Array(length);
  let end = 0;
  for (const chunk of chunks) {
    whole.set(chunk, end);
    end += chunk.length;
  }
  return whole;
}

function readProblem(bytes: Uint8Array): ClientError {
  try {
    return problemAsError(decodeReply(Problem, JSON.parse(new TextDecoder().decode(bytes))));
  } catch (cause) {
    return clientFault("ISSUER_REPLY_INVALID", cause);
  }
}
