import assert from "node:assert/strict";
import { test } from "node:test";
import { type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import fc from "fast-check";
import * as api from "../src/api/device-api.ts";
import { decodeReply } from "../src/client/decode-reply.ts";
import { decodeReply as decodeInBrowser } from "../src/client/decode-reply-browser.ts";

/** What is left of a schema in an app: its JSON. */
const asBuilt = (schema: TSchema): Record<string, unknown> => JSON.parse(JSON.stringify(schema));

type Attempt = { readonly value: unknown } | "refused";
function attempt(decode: () => unknown): Attempt {
  try {
    return { value: decode() };
  } catch {
    return "refused";
  }
}

const SCHEMAS: readonly (readonly [string, TSchema])[] = Object.entries(api).filter(
  ([, exported]) => typeof exported === "object",
);

test("the apps' reader knows every schema of the device API", () => {
  assert.ok(SCHEMAS.length >= 8);
  for (const [name, schema] of SCHEMAS) {
    const example = Value.Encode(schema, Value.Decode(schema, exampleOf(schema)));
    assert.deepEqual(decodeInBrowser(asBuilt(schema), example), decodeReply(schema, example), name);
  }
});

test("the apps' reader takes and refuses exactly what the server's library takes and refuses", () => {
  for (const [name, schema] of SCHEMAS) {
    const example = exampleOf(schema);
    const strange = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom("", "-1", "0", "01", "9".repeat(17), "ff", "EUR", null, -1, 1.5, []),
    );
    fc.assert(
      fc.property(fc.constantFrom(...pathsIn(example)), strange, fc.boolean(), (path, value, remove) => {
        const changed = changedAt(example, path, remove ? undefined : value);
        const left = attempt(() => decodeReply(schema, changed));
        const right = attempt(() => decodeInBrowser(asBuilt(schema), changed));
        assert.deepEqual(right, left, `${name} ${path.join(".")}`);
      }),
      { numRuns: 300 },
    );
  }
});

test("a reply cannot bring properties that its schema has not looked at", () => {
  const schema = Type.Object({ state: Type.Literal("held"), code: Type.Optional(Type.String()) });
  const reply: unknown = JSON.parse('{"state":"held","__proto__":{"code":5}}');
  const read = decodeInBrowser(asBuilt(schema), reply);
  assert.equal(Object.getPrototypeOf(read), Object.prototype);
  assert.deepEqual(read, decodeReply(schema, reply));
});

test("a schema with a rule that the apps' reader does not know is not read at all", () => {
  assert.throws(() => decodeInBrowser(asBuilt(Type.String({ format: "date" })), "2026-01-01"), TypeError);
  assert.throws(() => decodeInBrowser(asBuilt(Type.Array(Type.String(), { uniqueItems: true })), ["a"]), TypeError);
});

/** The smallest value of a schema, in its JSON form, with one element in each list. */
function exampleOf(schema: TSchema): unknown {
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.anyOf)) return exampleOf(schema.anyOf[0]);
  switch (schema.type) {
    case "object":
      return Object.fromEntries(
        Object.entries<TSchema>(schema.properties).map(([name, each]) => [name, exampleOf(each)]),
      );
    case "array":
      return [exampleOf(schema.items)];
    case "integer":
      return schema.minimum ?? 0;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return textOf(schema.pattern);
  }
}

function textOf(pattern: string | undefined): string {
  const candidates = ["AAEC", "17", "EUR", "KIOSK-1", ...[4, 8, 16, 24, 32].map((length) => "0a".repeat(length))];
  return candidates.find((each) => pattern === undefined || new RegExp(pattern).test(each)) ?? "0".repeat(32);
}

type Path = readonly (string | number)[];

/** The empty path is the whole value. */
function pathsIn(value: unknown, above: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [above];
  const nameOf = (name: string): string | number => (Array.isArray(value) ? Number(name) : name);
  return [above, ...Object.entries(value).flatMap(([name, each]) => pathsIn(each, [...above, nameOf(name)]))];
}

function changedAt(value: unknown, [first, ...rest]: Path, change: unknown): unknown {
  if (first === undefined || typeof value !== "object" || value === null) return change;
  const copy = structuredClone(value);
  const changed = changedAt(Reflect.get(copy, first), rest, change);
  if (changed === undefined) Reflect.deleteProperty(copy, first);
  else Reflect.set(copy, first, changed);
  return copy;
}
