import type { AccountNumber } from "@cairn/issue";
import { type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  type IPolicy,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from "cockatiel";
import { type Decoded, Minor, Time } from "../api/wire.ts";
import type { AccountReport, AccountSource, CreditReport, CreditSource } from "./ports.ts";
import { SourceError } from "./source-error.ts";

export type HttpSourceOptions = {
  /** Such as https://bureau.example/cairn; `/accounts/N/credit` or `/accounts/N` is added. */
  readonly url: string;
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
  /** For one try. Default 1,000. */
  readonly timeoutMs?: number;
  /** Further tries after a fault that may pass, with growing pauses spread by chance. Default 2. */
  readonly retries?: number;
  /** Longest that a caller waits, all tries together. Default 2,500. */
  readonly budgetMs?: number;
  /** After so many faults in a row the source is left alone. Default 5. */
  readonly suspendAfter?: number;
  /** For so long; then one try decides. Default 10,000. */
  readonly suspendMs?: number;
};

const CreditReply = Type.Object({
  lineMinor: Minor,
  overdueMinor: Minor,
  scoreBand: Type.Union(["A", "B", "C", "D", "E"].map((band) => Type.Literal(band as "A" | "B" | "C" | "D" | "E"))),
  informedAt: Time,
});
const AccountReply = Type.Object({
  status: Type.Union([Type.Literal("active"), Type.Literal("frozen")]),
  deposits: Type.Array(Type.Object({ depositId: Type.String({ minLength: 1, maxLength: 100 }), amountMinor: Minor }), {
    maxItems: 1_000,
  }),
});

const MAXIMUM_REPLY_BYTES = 262_144;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** What another try may mend. */
const PASSING: ReadonlySet<string> = new Set(["SOURCE_UNREACHABLE", "SOURCE_TIMEOUT", "SOURCE_FAULT"]);
const isPassing = (error: unknown): boolean =>
  error instanceof TaskCancelledError || (error instanceof SourceError && PASSING.has(error.code));

/** An operator's credit bureau over HTTP. Contract: docs/guides/core-banking.md. */
export class HttpCreditSource implements CreditSource {
  readonly #source: HttpSource;

  constructor(options: HttpSourceOptions) {
    this.#source = new HttpSource(options);
  }

  async credit(account: AccountNumber): Promise<CreditReport> {
    return this.#source.get(`/accounts/${account}/credit`, {}, CreditReply);
  }
}

/** An operator's core banking over HTTP. Contract: docs/guides/core-banking.md. */
export class HttpAccountSource implements AccountSource {
  readonly #source: HttpSource;

  constructor(options: HttpSourceOptions) {
    this.#source = new HttpSource(options);
  }

  async account(account: AccountNumber, after: string | undefined): Promise<AccountReport> {
    return this.#source.get(`/accounts/${account}`, after === undefined ? {} : { after }, AccountReply);
  }
}

/** One source: bounded tries within a bounded time, and none at all while it is suspended. */
class HttpSource {
  readonly #url: string;
  readonly #token: string | undefined;
  readonly #policy: IPolicy;

  constructor(options: HttpSourceOptions) {
    this.#url = options.url.replace(/\/+$/, "");
    this.#token = options.token;
    const { timeoutMs = 1_000, retries = 2, budgetMs = 2_500, suspendAfter = 5, suspendMs = 10_000 } = options;
    this.#policy = wrap(
      timeout(budgetMs, TimeoutStrategy.Aggressive),
      retry(handleWhen(isPassing), {
        maxAttempts: retries,
        backoff: new ExponentialBackoff({ initialDelay: FIRST_PAUSE_MS, maxDelay: LONGEST_PAUSE_MS }),
      }),
      circuitBreaker(handleWhen(isPassing), {
        halfOpenAfter: suspendMs,
        breaker: new ConsecutiveBreaker(suspendAfter),
      }),
      timeout(timeoutMs, TimeoutStrategy.Aggressive),
    );
  }

  /** @throws SourceError */
  async get<Schema extends TSchema>(
    path: string,
    query: Readonly<Record<string, string>>,
    schema: Schema,
  ): Promise<Decoded<Schema>> {
    try {
      return await this.#policy.execute(({ signal }) => this.#once(path, query, { schema, signal }));
    } catch (error) {
      if (error instanceof SourceError) throw error;
      if (error instanceof BrokenCircuitError)
        throw new SourceError("SOURCE_SUSPENDED", "The source failed too often and is left alone.", { cause: error });
      if (error instanceof TaskCancelledError)
        throw new SourceError("SOURCE_TIMEOUT", "The source did not answer in time.", { cause: error });
      throw error;
    }
  }

  async #once<Schema extends TSchema>(
    path: string,
    query: Readonly<Record<string, string>>,
    { schema, signal }: { readonly schema: Schema; readonly signal: AbortSignal },
  ): Promise<Decoded<Schema>> {
    const { status, text } = await this.#fetch(`${this.#url}${path}?${new URLSearchParams(query)}`, signal);
    if (status >= 500) throw new SourceError("SOURCE_FAULT", `The source answered ${status}.`);
    if (status < 200 || status >= 300) throw new SourceError("SOURCE_REFUSED", `The source answered ${status}.`);
    try {
      return Value.Decode(schema, JSON.parse(text));
    } catch (cause) {
      throw new SourceError("SOURCE_REPLY_INVALID", "The source's answer is not of the agreed form.", { cause });
    }
  }

  async #fetch(url: string, signal: AbortSignal): Promise<{ status: number; text: string }> {
    const authorization = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` };
    try {
      const response = await fetch(url, {
        signal,
        redirect: "error",
        headers: { accept: "application/json", ...authorization },
      });
      return { status: response.status, text: await readBounded(response) };
    } catch (cause) {
      if (cause instanceof SourceError) throw cause;
      throw new SourceError("SOURCE_UNREACHABLE", "The source cannot be reached.", { cause });
    }
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAXIMUM_REPLY_BYTES) throw new SourceError("SOURCE_REPLY_INVALID", "The source's answer is too long.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
