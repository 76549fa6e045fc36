import { CodedError } from "@cairn/cose";
import { DEFAULT_POLICY, PolicyError, readPolicy } from "@cairn/issue";
import { decodeBase45, encodeBase45 } from "@cairn/messages";
import type { JsonObject, Step } from "../../vectors/case.ts";
import { runCase } from "../../vectors/run-case.ts";
import { bytesOf, type Target, textOf } from "../target.ts";
import { vectorInputs } from "./vector-inputs.ts";

const CODE_HEAD = "CAIRN:1R".length;

/**
 * A person holds any code in front of a wallet or a terminal: an answer or a coded refusal must come of it. The input
 * is what stands in the code; whose turn it is, lists and time are those of the published vectors.
 */
function situation(name: string, step: Step): Target {
  const inputs = vectorInputs(step);
  const seeds: Uint8Array[] = [];
  inputs.forEach(({ code }, index) => {
    try {
      seeds.push(Uint8Array.from([index, ...decodeBase45(String(code).slice(CODE_HEAD))]));
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
    }
  });
  return {
    name,
    shape: "bytes",
    seeds,
    run: async (input) => {
      const about: JsonObject = inputs[(input[0] ?? 0) % inputs.length] ?? {};
      const head = String(about.code).slice(0, CODE_HEAD);
      await runCase({ step, input: { ...about, code: `${head}${encodeBase45(input.subarray(1))}` } });
    },
  };
}

const asText = (_name: string, value: unknown): unknown => (typeof value === "bigint" ? value.toString() : value);

const policy: Target = {
  name: "policy",
  shape: "text",
  seeds: [
    JSON.stringify(DEFAULT_POLICY, asText),
    '{"limit":{"floorMinor":"100"},"uploadDeadlineSeconds":604800}',
    '{"conditions":{"x":1}}',
    "[]",
  ].map(bytesOf),
  run: (input) => {
    let json: unknown;
    try {
      json = JSON.parse(textOf(input));
    } catch {
      return;
    }
    try {
      readPolicy(json);
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
    }
  },
};

export const situationTargets: readonly Target[] = [
  situation("wallet-request", "request"),
  situation("wallet-receipt", "receipt"),
  situation("terminal-payment", "accept"),
  situation("terminal-open-payment", "accept-open"),
  policy,
];
