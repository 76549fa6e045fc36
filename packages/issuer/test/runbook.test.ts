import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { MoneyClient } from "../src/client/money-client.ts";
import { KIOSK, makeWorld } from "./support/world.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string): Promise<string> => readFile(`${root}${path}`, "utf8");
const [alerts, dashboard, runbook] = await Promise.all(
  ["ops/prometheus-alerts.yml", "ops/grafana-dashboard.json", "docs/guides/runbook.md"].map(read),
);

test("alerts and dashboard name metrics that there are, and the runbook names each alert", async (t) => {
  const world = await makeWorld(t);
  const { issuer } = world;
  // Some money in every kind of ledger account that is asked for by name is not needed: kinds come from the source.
  await new MoneyClient({ url: issuer.url, token: issuer.operatorToken }).pay(world.account, {
    amountMinor: 10n,
    idempotencyKey: "one",
    payeeId: KIOSK,
  });
  const answer = await fetch(`${issuer.url}/metrics`, { headers: { authorization: `Bearer ${issuer.operatorToken}` } });
  const text = await answer.text();
  const known = new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name));
  for (const file of [alerts, dashboard]) {
    const named = [...(file ?? "").matchAll(/\bcairn_\w+/g)].map(([name]) => name.replace(/_bucket$/, ""));
    assert.ok(named.length > 10);
    for (const name of named) assert.ok(known.has(name), `there is no metric ${name}`);
  }
  const declared = [...(alerts ?? "").matchAll(/alert: (\w+)/g)].map(([, name]) => name ?? "");
  assert.ok(declared.length > 10);
  const told = [...(runbook ?? "").matchAll(/^\| `(Cairn\w+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(told, declared);
  for (const [name] of (dashboard ?? "").matchAll(/\bCairn[A-Z]\w+/g)) assert.ok(declared.includes(name), name);
  // Metrics that nobody is told what to do about stay on the dashboard.
  for (const name of known) assert.match(`${alerts}${dashboard}`, new RegExp(`\\b${name}`), `${name} is shown nowhere`);
});

test("every warning and error that the server can log stands in the runbook", async () => {
  const sources = (await readdir(`${root}packages/issuer/src`, { recursive: true })).filter((name) =>
    name.endsWith(".ts"),
  );
  const messages = new Set<string>();
  for (const name of sources) {
    const source = await read(`packages/issuer/src/${name}`);
    for (const [call] of source.matchAll(/log\.(?:warn|error)\([\s\S]*?\);\n/g)) {
      const message = /["`]([^"`]*)["`],?\s*\)+;\n$/.exec(call)?.[1]?.split(": ${")[0];
      assert.ok(message, `no message in ${call}`);
      messages.add(message);
    }
  }
  assert.ok(messages.size > 10, `${messages.size} messages`);
  for (const message of messages) assert.ok(runbook?.includes(`\`${message}\``), message);
  const told = [...(runbook ?? "").matchAll(/^\| `([^`]+)` \| (?:warn|error) \|/gm)].map(([, message]) => message);
  for (const message of told) assert.ok(messages.has(message ?? ""), `nobody logs "${message}"`);
});

test("every code of the database's trouble stands in the runbook, and the commands that it names exist", async () => {
  const codes = await read("packages/stores/src/issuer/store-error.ts");
  for (const [, code = ""] of (runbook ?? "").matchAll(/^\| `((?:STORE|LEASE)_\w+)` \|/gm))
    assert.match(codes, new RegExp(`"${code}"`), code);
  const commands = (await readdir(`${root}packages/issuer/src/cli`, { recursive: true })).filter((name) =>
    name.endsWith(".ts"),
  );
  const source = (await Promise.all(commands.map((name) => read(`packages/issuer/src/cli/${name}`)))).join("\n");
  for (const [, group, name = ""] of (runbook ?? "").matchAll(
    /`cairn (issuer|ledger|policy) ((?:keys |account )?[a-z-]+)/g,
  ))
    assert.ok(new RegExp(`"${name.split(" ").at(-1)}(?: [^"]*)?"`).test(source), `there is no cairn ${group} ${name}`);
});
