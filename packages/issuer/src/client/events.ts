import type { CertificateId } from "@cairn/messages";
import { SyncAnswer } from "../api/device-api.ts";
import type { IssuerClient } from "./issuer-client.ts";
import { decodeEvent, readEvents } from "./read-events.ts";

export type EventsInput = {
  /** Certificates that the wallet holds, newest first. */
  readonly holds?: readonly CertificateId[];
  readonly signal?: AbortSignal;
  readonly silenceMs?: number;
};

/**
 * Certificates as they come, without asking: each is what a sync would have answered, for `applySyncAnswer` with no
 * entries. Ends when the connection does; `followEvents` reconnects. A connection that stays silent for longer than
 * `silenceMs` (default 60,000; the server shows every 15,000 that it lives) counts as lost. Beside the client, so that
 * apps which do not listen do not carry the reader of streams.
 * @throws ClientError
 */
export async function* issuerEvents(
  client: IssuerClient,
  { holds = [], silenceMs = 60_000, signal }: EventsInput,
): AsyncGenerator<SyncAnswer, void, undefined> {
  const silence = new AbortController();
  const either = signal === undefined ? silence.signal : AbortSignal.any([silence.signal, signal]);
  const stream = await client.openEvents(holds, either);
  // What later versions may tell is passed over.
  for await (const { event, data } of readEvents(stream, { silenceMs, onSilence: () => silence.abort() }))
    if (event === "sync") yield decodeEvent(SyncAnswer, data);
}
