/** What stands in the files under valid/ and invalid/. Format: README.md. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

export const STEPS = [
  "decode",
  "code",
  "call",
  "stream",
  "records",
  "lists",
  "verify",
  "request",
  "accept",
  "accept-open",
  "payment",
  "captured",
  "receipt",
  "compatible",
] as const;
export type Step = (typeof STEPS)[number];

export type Case = {
  readonly name: string;
  readonly description: string;
  readonly step: Step;
  readonly input: JsonObject;
  /** `taken`: of a stream, the contents of the portions before the one that is refused. */
  readonly expect: { readonly fields: JsonObject } | { readonly code: string; readonly taken?: readonly string[] };
};

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const fromHexText = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

/** Bytes as hexadecimal text, amounts as decimal text (JSON readers round large numbers), absent fields left out. */
export function toJson(value: unknown): Json {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean" || value === null)
    return value;
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object") throw new TypeError(`No JSON for a ${typeof value}.`);
  return toJsonObject(value);
}

export function toJsonObject(value: object): JsonObject {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries.map(([name, entry]) => [name, toJson(entry)]));
}
