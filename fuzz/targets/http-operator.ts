import { deviceIdOf } from "@cairn/messages";
import { crypto } from "../../vectors/world.ts";
import { bytesOf, type Target, textOf } from "../target.ts";
import { checkAnswer } from "./answer.ts";
import { IssuerWorld } from "./issuer-world.ts";

/**
 * Every route that the server itself describes, the operator's with its token: an input is a method and a path in its
 * first line, and behind it the body. A new route is searched from the day that it is described.
 */
const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
const INPUTS_PER_WORLD = 4_000;

type Schema = {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
};
type Operation = {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
};
type Description = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };

export async function openHttpOperator(): Promise<Target> {
  let world = await IssuerWorld.open();
  const seeds = await seedsOf(world);
  let inputs = 0;
  return {
    name: "http-operator",
    shape: "text",
    seeds,
    run: async (input) => {
      if (++inputs % INPUTS_PER_WORLD === 0) {
        await world.close();
        world = await IssuerWorld.open();
      }
      const text = textOf(input);
      const [line = "", ...rest] = text.split("\n");
      const [method = "", path = ""] = line.split(" ");
      if (!METHODS.includes(method) || !path.startsWith("/") || path.startsWith("//")) return;
      const body = method === "GET" || method === "HEAD" ? undefined : rest.join("\n");
      const response = await fetch(`${world.issuer.url}${path}`, {
        method,
        redirect: "manual",
        headers: {
          authorization: `Bearer ${world.issuer.operatorToken}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body }),
      });
      if (method === "HEAD") await response.arrayBuffer();
      else await checkAnswer(response);
      world.checkLog();
    },
    close: () => world.close(),
  };
}

/** One well-formed call of each route. */
async function seedsOf(world: IssuerWorld): Promise<Uint8Array[]> {
  const answer = await fetch(`${world.issuer.url}/openapi.json`);
  const description = (await answer.json()) as Description;
  const known: Readonly<Record<string, string>> = {
    account: "1",
    payeeId: "SHOP-1",
    deviceId: deviceIdOf(world.wallet.signer.publicKey, crypto),
    terminalId: deviceIdOf(world.terminal.signer.publicKey, crypto),
    certificateId: world.wallet.held().content.certificateId,
  };
  return Object.entries(description.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => {
      const valueFor = (name: string, schema: Schema): string => known[name] ?? String(sampleOf(schema));
      let path = template;
      const query: string[] = [];
      for (const { name, in: where, schema } of parameters) {
        if (where === "path") path = path.replace(`{${name}}`, valueFor(name, schema));
        if (where === "query") query.push(`${name}=${encodeURIComponent(valueFor(name, schema))}`);
      }
      const schema = requestBody?.content["application/json"]?.schema;
      const body = schema === undefined ? "" : `\n${JSON.stringify(sampleOf(schema, known))}`;
      return bytesOf(`${method.toUpperCase()} ${path}${query.length > 0 ? `?${query.join("&")}` : ""}${body}`);
    }),
  );
}

const CANDIDATES = ["1", "100", "EUR", "SHOP-1", "A", "2027-01-15", "00".repeat(8), "00".repeat(16), "00".repeat(32)];

function sampleOf(schema: Schema, known: Readonly<Record<string, string>> = {}): unknown {
  const [first] = schema.anyOf ?? [];
  if (first !== undefined) return sampleOf(first, known);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === "integer" || schema.type === "number") return Math.max(1, schema.minimum ?? 1);
  if (schema.type === "boolean") return true;
  if (schema.type === "array") return schema.items === undefined ? [] : [sampleOf(schema.items, known)];
  if (schema.type === "object")
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, known[name] ?? sampleOf(inner, known)]),
    );
  const pattern = new RegExp(schema.pattern ?? "");
  return CANDIDATES.find((text) => pattern.test(text)) ?? "a";
}
