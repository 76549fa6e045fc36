import type { TSchema } from "@sinclair/typebox";
import { EventSourceParserStream } from "eventsource-parser/stream";
import type { Decoded } from "../api/wire.ts";
import { ClientError, clientFault } from "./client-error.ts";
import { decodeReply } from "./decode-reply.ts";

/** Longest event read: an answer holds both lists in base64. */
const MAXIMUM_EVENT_CHARACTERS = 16_777_216;

/** The data of an event as it came: text, for `decodeEvent`. */
export type ReceivedEvent = { readonly event: string | undefined; readonly data: string };

/** Reads events until the connection ends. @throws ClientError ISSUER_REPLY_INVALID, ISSUER_TIMEOUT, ISSUER_UNREACHABLE */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  options: { readonly silenceMs: number; readonly onSilence: () => void },
): AsyncGenerator<ReceivedEvent, void, undefined> {
  let isSilent = false;
  const onTimeout = (): void => {
    isSilent = true;
    options.onSilence();
  };
  let timer = setTimeout(onTimeout, options.silenceMs);
  const decoder = new TextDecoder();
  const heard = new TransformStream<Uint8Array, string>({
    transform: (chunk, controller) => {
      clearTimeout(timer);
      timer = setTimeout(onTimeout, options.silenceMs);
      controller.enqueue(decoder.decode(chunk, { stream: true }));
    },
  });
  const events = stream
    .pipeThrough(heard)
    .pipeThrough(new EventSourceParserStream({ maxBufferSize: MAXIMUM_EVENT_CHARACTERS }));
  try {
    for await (const { event, data } of events) yield { event, data };
  } catch (error) {
    if (error instanceof ClientError) throw error;
    throw clientFault(isSilent ? "ISSUER_TIMEOUT" : "ISSUER_UNREACHABLE", error);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws ClientError ISSUER_REPLY_INVALID */
export function decodeEvent<Schema extends TSchema>(schema: Schema, data: string): Decoded<Schema> {
  try {
    return decodeReply(schema, JSON.parse(data));
  } catch (cause) {
    throw clientFault("ISSUER_REPLY_INVALID", cause);
  }
}
