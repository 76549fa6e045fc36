import type { CertificateId } from "@cairn/messages";
import type { SyncAnswer } from "../api/device-api.ts";
import { ClientError } from "./client-error.ts";
import { issuerEvents } from "./events.ts";
import type { IssuerClient } from "./issuer-client.ts";

/** Faults that trying again mends: the network, and a server that is busy or stopping. */
const PASSING: ReadonlySet<string> = new Set([
  "ISSUER_UNREACHABLE",
  "ISSUER_TIMEOUT",
  "PUSH_FULL",
  "NOT_READY",
  "SHUTTING_DOWN",
  "NONCE_INVALID",
  "INTERNAL_FAULT",
]);

export type FollowOptions = {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Asked at every connection: what the wallet holds by then, newest first. */
  readonly holds: () => Promise<readonly CertificateId[]>;
  readonly onAnswer: (answer: SyncAnswer) => Promise<void>;
  /** Told of every connection that was lost, before the pause. */
  readonly onLost?: (error: ClientError | undefined) => void;
  /** 0 to 1, spreads devices that lost the same server. */
  readonly random: () => number;
  /** First and longest pause, each shortened by chance to half. Defaults 1,000 and 60,000. */
  readonly pauseMs?: { readonly first: number; readonly longest: number };
};

/**
 * Listens for as long as the device is online, reconnecting with growing pauses. What was missed in between comes with
 * the next connection, as the device says what it holds.
 * @throws ClientError for what trying again does not mend, such as CALLER_FROZEN.
 */
export async function followEvents(client: IssuerClient, options: FollowOptions): Promise<void> {
  const { signal, pauseMs = { first: 1_000, longest: 60_000 } } = options;
  let pause = pauseMs.first;
  while (!signal.aborted) {
    let lost: ClientError | undefined;
    try {
      for await (const answer of issuerEvents(client, { signal, holds: await options.holds() })) {
        pause = pauseMs.first;
        await options.onAnswer(answer);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ClientError) || !PASSING.has(error.code)) throw error;
      lost = error;
    }
    if (signal.aborted) return;
    options.onLost?.(lost);
    await wait(pause * (0.5 + options.random() / 2), signal);
    pause = Math.min(pause * 2, pauseMs.longest);
  }
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
