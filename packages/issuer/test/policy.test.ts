import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { DEFAULT_POLICY, LIMIT_LINE_LABELS, policyText } from "@cairn/issue";
import { deviceIdOf } from "@cairn/messages";
import { PolicyClient } from "../src/client/policy-client.ts";
import { fingerprintOf } from "../src/policy/policy-source.ts";
import { eventually, type TestIssuer } from "./support/issuer.ts";
import { crypto } from "./support/values.ts";
import { addWallet, makeWorld } from "./support/world.ts";

const DAY = 86_400;

/** A policy file that the issuer follows, first with `policy` in it. */
async function withFile(t: TestContext, policy: object) {
  const folder = await mkdtemp(join(tmpdir(), "cairn-policy-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "policy.json");
  const write = (value: object | string) => writeFile(file, typeof value === "string" ? value : JSON.stringify(value));
  await write(policy);
  const world = await makeWorld(t, { policyFile: file, policyIntervalMs: 10 });
  const policies = clientOf(world);
  return { ...world, file, write, policies };
}
const clientOf = ({ issuer }: Pick<TestIssuer, "issuer">) =>
  new PolicyClient({ url: issuer.url, token: issuer.operatorToken });

const capped = (version: string, perCertificateCapMinor: string) => ({ version, limit: { perCertificateCapMinor } });

/** What of a stored explanation names the policy and what set the decision off. */
const groundsOf = (explanation: unknown) => JSON.parse(JSON.stringify(explanation));

test("a policy file that changes is in force without a restart; certificates keep which one decided on them", async (t) => {
  const { write, policies, wallet, operator, account, ...world } = await withFile(t, capped("first", "1000"));
  await wallet.sync();
  await write(capped("second", "2000"));
  const inForce = await eventually(async () => {
    const told = await policies.inForce();
    return told.version === "second" && told;
  });
  assert.equal(inForce.refused, null);
  const other = await addWallet({ ...world, operator }, account);
  await other.sync();
  const certificates = await operator.certificates(account);
  assert.deepEqual(
    certificates.map(({ limitMinor, explanation }) => [limitMinor, groundsOf(explanation).policy.version]),
    [
      [1_000n, "first"],
      [2_000n, "second"],
    ],
  );
  const all = await policies.all();
  assert.deepEqual(
    all.map(({ version, fingerprint }) => [version, fingerprint]),
    certificates.map(({ explanation }) => {
      const { version, fingerprint } = groundsOf(explanation).policy;
      return [version, fingerprint];
    }),
  );
  assert.deepEqual(groundsOf(certificates[0]?.explanation).event, { kind: "device-online", cause: "sync" });
});

test("a file that cannot be used leaves the policy in force, and everybody is told until it is mended", async (t) => {
  const { write, policies, wallet, issuer, logged } = await withFile(t, capped("good", "1000"));
  const metric = async () => {
    const headers = { authorization: `Bearer ${issuer.operatorToken}` };
    return /^cairn_policy_file_refused (\d)$/m.exec(
      await (await fetch(`${issuer.url}/metrics`, { headers })).text(),
    )?.[1];
  };
  assert.equal(await metric(), "0");
  await write({ version: "bad", limit: { floorMinor: 5, stepMinor: "0" } });
  const told = await eventually(async () => (await policies.inForce()).refused !== null && policies.inForce());
  assert.equal(told.version, "good");
  assert.deepEqual(
    [told.refused?.code, told.refused?.faults.map(({ path }) => path)],
    ["POLICY_FILE_INVALID", ["limit.floorMinor", "limit.stepMinor"]],
  );
  assert.equal(await metric(), "1");
  await wallet.sync();
  assert.equal(wallet.held().content.terms.limitMinor, 1_000n);

  await write("{ this is no JSON");
  await eventually(async () => (await policies.inForce()).refused?.code === "POLICY_FILE_MALFORMED");
  await write(capped("mended", "1500"));
  const mended = await eventually(async () => (await policies.inForce()).version === "mended" && policies.inForce());
  assert.equal(mended.refused, null);
  assert.equal(await metric(), "0");
  const said = logged.filter((line) => line.includes("policy not taken over"));
  assert.equal(said.length, 2, "once for each state of the file");
});

test("a server does not start on a file that cannot be used", async (t) => {
  const { write, restart } = await withFile(t, capped("good", "1000"));
  await write({ hold: "much" });
  await assert.rejects(restart(), { code: "POLICY_FILE_INVALID", message: /^hold must be one of/ });
});

test("a shorter upload deadline waits for the certificates of the longer one", async (t) => {
  const { write, policies, wallet, operator, account, clock } = await withFile(t, {
    version: "long",
    uploadDeadlineSeconds: 9 * DAY,
  });
  await wallet.sync();
  const { expiresAt, terms } = wallet.held().content;
  clock.now += 1;
  await write({ version: "short", uploadDeadlineSeconds: 3_600 });
  await eventually(async () => (await policies.inForce()).version === "short");
  const exposure = async () => (await operator.certificates(account))[0]?.exposureMinor;
  clock.now = expiresAt + 9 * DAY;
  assert.equal(await exposure(), terms.limitMinor);
  clock.now += 2;
  assert.equal(await exposure(), 0n);
});

test("a dry run says what a sync would bring, line by line, and issues nothing", async (t) => {
  const { wallet, operator, account, policies } = await withFile(t, {});
  const deviceId = deviceIdOf(wallet.signer.publicKey, crypto);
  const tried = await policies.explain(account, { deviceId });
  assert.deepEqual(await operator.certificates(account), []);
  const [device] = tried.devices;
  assert.ok(device !== undefined && tried.devices.length === 1);
  assert.deepEqual([device.deviceId, device.decision, tried.open], [deviceId, "issue", []]);
  assert.deepEqual(
    device.conditions.filter(({ met }) => met).map(({ code }) => code),
    ["NO_CERTIFICATE"],
  );
  const answer = await wallet.sync();
  assert.deepEqual(answer.decision.lines, device.lines);
  assert.equal(wallet.held().content.terms.limitMinor, device.limitMinor);

  const after = await policies.explain(account, {});
  assert.deepEqual(
    [after.devices[0]?.decision, after.open.map(({ exposureMinor, heldMinor }) => [exposureMinor, heldMinor])],
    ["none", [[4_900n, 4_900n]]],
  );
  const ahead = await policies.explain(account, { ahead: true });
  assert.deepEqual(
    [ahead.devices[0]?.decision, ahead.devices[0]?.refusals.map(({ code }) => code)],
    ["refuse", ["EXPOSURE_AT_CAP"]],
  );
});

test("a dry run takes another policy and another protection level", async (t) => {
  const { account, operator, policies } = await withFile(t, {});
  const tried = await policies.explain(account, { policy: { ...capped("trial", "1000"), hold: "none" } });
  assert.deepEqual([tried.version, tried.devices[0]?.limitMinor, tried.devices[0]?.heldMinor], ["trial", 1_000n, 0n]);
  assert.equal((await policies.inForce()).version, "unnamed");
  const weak = await policies.explain(account, { protection: 0 });
  const share = weak.devices[0]?.lines.find(({ label }) => label === LIMIT_LINE_LABELS.protectionShare);
  assert.deepEqual([weak.devices[0]?.limitMinor, share?.minor], [2_400n, -2_450n]);
  const { account: empty } = await operator.createAccount({ name: "Bob", currency: tried.currency });
  const [nobody] = (await policies.explain(empty, {})).devices;
  assert.deepEqual([nobody?.decision, nobody?.refusals[0]?.code], ["refuse", "EXPOSURE_AT_CAP"]);
  await assert.rejects(policies.explain(empty + 1, {}), { code: "ACCOUNT_UNKNOWN" });
  const deviceId = "00".repeat(8) as ReturnType<typeof deviceIdOf>;
  await assert.rejects(policies.explain(account, { deviceId }), { code: "DEVICE_UNKNOWN" });
});

const MAIN = fileURLToPath(new URL("../../cairn/src/main.ts", import.meta.url));
const run = (...args: readonly string[]) =>
  new Promise<{ status: number; out: string; errors: string }>((resolve) => {
    execFile(
      process.execPath,
      [MAIN, "policy", ...args],
      { env: { ...process.env, NODE_NO_WARNINGS: "1" } },
      (error, out, errors) => resolve({ status: typeof error?.code === "number" ? error.code : 0, out, errors }),
    );
  });

test("cairn policy: check a file, begin one, see which is in force, try one out", async (t) => {
  const { file, write, folder, issuer, account } = await withFile(t, capped("good", "1000"));
  const good = await run("check", file, "--json");
  assert.deepEqual([good.status, JSON.parse(good.out).version], [0, "good"]);
  const builtIn = await run("show", "--built-in");
  assert.equal(builtIn.out, `${policyText(DEFAULT_POLICY)}\n`);
  const at = ["--data", folder, "--issuer", issuer.url];
  const shown = await run("show", ...at);
  assert.equal(JSON.parse(shown.out).version, "good");
  const tried = join(folder, "tried.json");
  await writeFile(tried, JSON.stringify(capped("tried", "700")));
  const explained = await run("explain", ...at, "--account", String(account), "--policy", tried);
  assert.equal(explained.status, 0, explained.errors);
  assert.match(explained.out, /policy "tried" \([0-9a-f]{12}\)/);
  assert.match(explained.out, /Above the cap for one certificate\s+-42\.00\s+at most 7\.00 EUR/);
  assert.match(explained.out, /Offline limit\s+7\.00/);
  const history = JSON.parse((await run("history", ...at, "--json")).out);
  assert.equal(history.policies.length, 1);
  const old = await run("show", ...at, "--json", "--fingerprint", fingerprintOf(DEFAULT_POLICY));
  assert.deepEqual([old.status, JSON.parse(old.out).code], [3, "POLICY_UNKNOWN"]);

  await write({ limit: { floorMinor: 5 }, holds: 1 });
  const bad = await run("check", file, "--json");
  const { ok, code, faults } = JSON.parse(bad.out);
  assert.deepEqual([bad.status, ok, code, faults.length], [3, false, "POLICY_FILE_INVALID", 2]);
  const people = await run("check", file);
  assert.match(people.out, /^limit\.floorMinor must be a string of minor units .*\n/m);
  const none = await run("check", join(folder, "none.json"));
  assert.deepEqual([none.status, none.errors.split(":")[0]], [3, "POLICY_FILE_UNREADABLE"]);
});
