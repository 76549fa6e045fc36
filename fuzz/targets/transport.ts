import { deepStrictEqual } from "node:assert/strict";
import { CodedError, encodeCbor } from "@cairn/cose";
import type { TSchema } from "@sinclair/typebox";
import * as api from "../../packages/issuer/src/api/device-api.ts";
import { ClientError } from "../../packages/issuer/src/client/client-error.ts";
import { decodeReply } from "../../packages/issuer/src/client/decode-reply.ts";
import { decodeReply as decodeReplyInApps } from "../../packages/issuer/src/client/decode-reply-browser.ts";
import { decodeEvent, type ReceivedEvent, readEvents } from "../../packages/issuer/src/client/read-events.ts";
import { readPortions } from "../../packages/issuer/src/http/portions.ts";
import { EdgeError } from "../../packages/issuer/src/http/problems.ts";
import { eventText } from "../../packages/issuer/src/http/server-sent-events.ts";
import { join } from "../mutate-bytes.ts";
import { bytesOf, mustHold, type Target, textOf } from "../target.ts";
import { hexAt, vectorInputs } from "./vector-inputs.ts";

/** What comes over a connection piece by piece reads the same however it is cut. The first byte says how. */
const pieceBytes = (input: Uint8Array): number => 1 + (input[0] ?? 0);

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

type Read<Item> = { readonly items: readonly Item[]; readonly refused: string | undefined };

/** Everything read before the end or the refusal. @throws what is no refusal. */
async function readAll<Item>(source: AsyncIterable<Item>): Promise<Read<Item>> {
  const items: Item[] = [];
  try {
    for await (const item of source) items.push(item);
    return { items, refused: undefined };
  } catch (error) {
    if (error instanceof EdgeError) return { items, refused: error.problemCode };
    if (error instanceof CodedError || error instanceof ClientError) return { items, refused: error.code };
    throw error;
  }
}

const portions: Target = {
  name: "portions",
  shape: "bytes",
  seeds: [
    ...[0, 30, 255].map((cut) =>
      join(Uint8Array.of(cut), ...[1, 23, 24, 256, 70_000].map((length) => encodeCbor(new Uint8Array(length)))),
    ),
    ...vectorInputs("stream").map((input) => join(Uint8Array.of(99), hexAt(input, "body"))),
  ],
  run: async (input) => {
    const body = input.subarray(1);
    const read = await readAll(readPortions(inPieces(body, pieceBytes(input))));
    deepStrictEqual(await readAll(readPortions(inPieces(body, body.length + 1))), read);
    if (read.refused !== undefined) return;
    mustHold(Buffer.compare(join(...read.items.map(encodeCbor)), body) === 0, "Bytes went missing.");
  },
};

const events: Target = {
  name: "events",
  shape: "bytes",
  seeds: [
    eventText("received", { portion: 0, records: [] }),
    eventText("problem", { code: "CALL_MALFORMED", status: 400 }, "7"),
    ": still here\r\n\r\nretry: 5\rdata: {}\rdata:2\r\rid:\u0000\nevent\n\n",
  ].flatMap((text) => [0, 7, 200].map((cut) => join(Uint8Array.of(cut), bytesOf(text), bytesOf(text)))),
  run: async (input) => {
    const body = input.subarray(1);
    const readIn = (size: number): Promise<Read<ReceivedEvent>> =>
      readAll(readEvents(ReadableStream.from(inPieces(body, size)), { silenceMs: 60_000, onSilence: () => {} }));
    const read = await readIn(pieceBytes(input));
    deepStrictEqual(await readIn(body.length + 1), read);
    mustHold(read.refused === undefined || read.refused === "ISSUER_UNREACHABLE", "A stream fails by another code.");
    for (const { data } of read.items) {
      try {
        decodeEvent(api.PortionAnswer, data);
      } catch (error) {
        if (!(error instanceof ClientError)) throw error;
      }
    }
  },
};

const EXPORTED: readonly unknown[] = Object.values(api);
const SCHEMAS = EXPORTED.filter((exported): exported is TSchema => typeof exported === "object");
const IN_APPS: readonly Record<string, unknown>[] = SCHEMAS.map((schema) => JSON.parse(JSON.stringify(schema)));

/** A value that is of the schema, in its JSON form. */
function sampleOf(schema: TSchema): unknown {
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.anyOf)) return sampleOf(schema.anyOf[0]);
  if (schema.type === "object")
    return Object.fromEntries(Object.entries<TSchema>(schema.properties).map(([name, each]) => [name, sampleOf(each)]));
  if (schema.type === "array") return [sampleOf(schema.items)];
  if (schema.type === "integer") return schema.minimum ?? 0;
  if (schema.type === "boolean") return true;
  return schema.type === "null" ? null : "0000";
}

const attempt = (decode: () => unknown): { readonly value: unknown } | undefined => {
  try {
    return { value: decode() };
  } catch {
    return undefined;
  }
};

/** Replies of a server to wallets and terminals: the apps' reader and the command line's take and refuse the same. */
const reply: Target = {
  name: "reply",
  shape: "text",
  seeds: SCHEMAS.flatMap((schema, index) => {
    const sample = JSON.stringify(sampleOf(schema));
    const withMore = sample.replace(/^\{/, '{"__proto__":{"code":5},"constructor":1,');
    return [sample, withMore].map((text) => bytesOf(`${index} ${text}`));
  }),
  run: (input) => {
    const [, which, text = ""] = /^(\d+) (.*)$/s.exec(textOf(input)) ?? [];
    const json = attempt(() => JSON.parse(text));
    if (json === undefined) return;
    const index = Number(which) % SCHEMAS.length;
    const [schema, inApps] = [SCHEMAS[index], IN_APPS[index]];
    if (schema === undefined || inApps === undefined) return;
    const read = attempt(() => decodeReplyInApps(inApps, json.value));
    deepStrictEqual(
      read,
      attempt(() => decodeReply(schema, json.value)),
    );
  },
};

export const transportTargets: readonly Target[] = [portions, events, reply];
