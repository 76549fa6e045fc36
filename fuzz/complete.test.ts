import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import * as cose from "@cairn/cose";
import * as messages from "@cairn/messages";
import { KINDS } from "../vectors/world.ts";
import { decoderTargets } from "./targets/decoders.ts";
import { DEVICE_ROUTES } from "./targets/http-device.ts";
import { IssuerWorld } from "./targets/issuer-world.ts";

/**
 * Nothing that takes bytes from outside is without a target. Whoever adds a route, a decoder or a kind of message is told
 * here what to add.
 */
type Operation = { readonly security?: unknown; readonly requestBody?: { readonly content: object } };

test("every route for wallets and terminals is called by the target http-device, every other one by http-operator", async () => {
  const world = await IssuerWorld.open();
  const answer = await fetch(`${world.issuer.url}/openapi.json`);
  const { paths } = (await answer.json()) as { paths: Record<string, Record<string, Operation>> };
  await world.close();
  const called = new Set<string>(DEVICE_ROUTES.map(({ path }) => path.split("?")[0] ?? ""));
  // The operator's target takes its routes from the same description: what has a JSON body or none.
  const missing = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method, { requestBody, security }]) => {
        const takesJson = requestBody !== undefined && "application/json" in requestBody.content;
        return method !== "get" && !takesJson && security === undefined && !called.has(path);
      })
      .map(([method]) => `${method} ${path}`),
  );
  assert.deepEqual(missing, [], "add them to DEVICE_ROUTES in fuzz/targets/http-device.ts, with a seed");
  const described = new Set(Object.keys(paths));
  assert.deepEqual(
    [...called].filter((path) => !described.has(path)),
    [],
    "they are gone",
  );
});

test("no route is left out of the server's own description, which the targets go by", async () => {
  const world = await IssuerWorld.open();
  const answer = await fetch(`${world.issuer.url}/openapi.json`);
  const { paths } = (await answer.json()) as { paths: Record<string, object> };
  await world.close();
  const described = Object.keys(paths).map((path) => path.replaceAll(/\{(\w+)\}/g, ":$1"));
  const folder = new URL("../packages/issuer/src/http/", import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".ts"));
  const written: string[] = [];
  for (const file of files) {
    const text = await readFile(new URL(file, folder), "utf8");
    for (const [, path = ""] of text.matchAll(/\.(?:get|post|put|patch|delete)\(\s*"(\/[^"]+)"/g)) written.push(path);
  }
  assert.ok(written.length > 40, `${written.length} routes are found in the sources`);
  // The operator's stand under a prefix. Files of the apps are no routes of the API.
  const hidden = written.filter((path) => !described.some((full) => full.endsWith(path)));
  assert.deepEqual(hidden, []);
});

test("every decoder of the core has a target", async () => {
  const sources = await Promise.all(
    ["decoders.ts", "situations.ts"].map((file) => readFile(new URL(`targets/${file}`, import.meta.url), "utf8")),
  );
  const used = sources.join("\n");
  const isDecoder = (name: string): boolean => /^(decode|read|split|inflate|publicKeyFrom)/.test(name);
  const decoders = [...Object.entries(cose), ...Object.entries(messages)].flatMap(([name, value]) =>
    typeof value === "function" && isDecoder(name) ? [name] : [],
  );
  assert.ok(decoders.length >= 10);
  assert.deepEqual(
    decoders.filter((name) => !used.includes(`${name}(`)),
    [],
    "add a target in fuzz/targets/decoders.ts",
  );
});

test("every kind of message has a target", () => {
  const values: readonly unknown[] = [...Object.values(messages), ...Object.values(messages.signedCall)];
  const kinds = values.filter(
    (value): value is messages.MessageKind<unknown> =>
      typeof value === "object" && value !== null && "readContent" in value,
  );
  const targets = new Set(decoderTargets.map(({ name }) => name));
  assert.ok(kinds.length > 10);
  // An envelope's kinds differ in their context alone: those with a vector stand for all.
  const isEnvelope = (name: string): boolean => name.startsWith("call-") && !(name in KINDS);
  assert.deepEqual(
    kinds.map(({ name }) => name).filter((name) => !isEnvelope(name) && !targets.has(`message-${name}`)),
    [],
    "add it to KINDS in vectors/world.ts",
  );
});
