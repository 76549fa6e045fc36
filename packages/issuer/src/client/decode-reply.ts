import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Decoded } from "../api/wire.ts";

/**
 * From parsed JSON to the values of a schema, strictly. Apps are built with decode-reply-browser.ts in its place.
 * @throws Error when the JSON is not of the schema.
 */
export function decodeReply<Schema extends TSchema>(schema: Schema, json: unknown): Decoded<Schema> {
  return Value.Decode(schema, json);
}
