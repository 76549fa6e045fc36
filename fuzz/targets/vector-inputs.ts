import { readFileSync } from "node:fs";
import type { Case, JsonObject, Step } from "../../vectors/case.ts";
import { fromHexText } from "../../vectors/case.ts";

const FILES: Readonly<Record<Step, readonly string[]>> = {
  decode: ["valid/decode", "invalid/decode", "invalid/encoding"],
  code: ["valid/code", "invalid/code"],
  call: ["valid/call", "invalid/call"],
  stream: ["valid/stream", "invalid/stream"],
  records: ["valid/records", "invalid/records"],
  lists: ["valid/lists", "invalid/lists"],
  verify: ["valid/verify", "invalid/verify"],
  request: ["valid/request", "invalid/request"],
  receipt: ["valid/receipt", "invalid/receipt"],
  accept: ["valid/accept", "invalid/accept"],
  "accept-open": ["valid/accept-open", "invalid/accept-open"],
  payment: ["valid/payment", "invalid/payment"],
  captured: ["valid/captured", "invalid/captured"],
  compatible: ["valid/compatible"],
};

/** Inputs of the published vectors: the best beginning that a search can have. */
export function vectorInputs(step: Step): JsonObject[] {
  return FILES[step].flatMap((file) => {
    const cases: readonly Case[] = JSON.parse(
      readFileSync(new URL(`../../vectors/${file}.json`, import.meta.url), "utf8"),
    );
    return cases.filter((one) => one.step === step).map(({ input }) => input);
  });
}

export const hexAt = (input: JsonObject, name: string): Uint8Array => fromHexText(String(input[name]));
