import assert from "node:assert/strict";
import { test } from "node:test";
import { accountNumber } from "@cairn/issue";
import { HttpAccountSource, HttpCreditSource } from "../src/sources/http-sources.ts";
import { type SourceMode, startSourceServer } from "./support/source-server.ts";

const account = accountNumber(7);
/** A busy machine may take long; only what never answers is waited for in vain. */
const PATIENT = { timeoutMs: 30_000, budgetMs: 120_000, suspendAfter: 100 };
const BRISK = { ...PATIENT, timeoutMs: 700 };

test("asks as the contract says, and reads what comes back", async (t) => {
  const { state, url } = await startSourceServer(t);
  state.credit = { lineMinor: "12345678901234", overdueMinor: "1", scoreBand: "C", informedAt: 1_800_000_000 };
  state.account.deposits.push({ depositId: "d-2", amountMinor: "700" });
  assert.deepEqual(await new HttpCreditSource({ url, token: "secret" }).credit(account), {
    lineMinor: 12_345_678_901_234n,
    overdueMinor: 1n,
    scoreBand: "C",
    informedAt: 1_800_000_000,
  });
  assert.deepEqual(await new HttpAccountSource({ url }).account(account, "d-1"), {
    status: "active",
    deposits: [{ depositId: "d-2", amountMinor: 700n }],
  });
  assert.deepEqual(state.seen, ["/cairn/accounts/7/credit? Bearer secret", "/cairn/accounts/7?after=d-1 "]);
});

test("every way in which a source can be ill has its code; only what may pass is tried again", async (t) => {
  const cases: readonly [SourceMode, string, number][] = [
    ["erroring", "SOURCE_FAULT", 3],
    ["hanging", "SOURCE_TIMEOUT", 3],
    ["slow", "SOURCE_TIMEOUT", 3],
    ["redirecting", "SOURCE_UNREACHABLE", 3],
    ["malformed", "SOURCE_REPLY_INVALID", 1],
    ["endless", "SOURCE_REPLY_INVALID", 1],
    ["refusing", "SOURCE_REFUSED", 1],
  ];
  for (const [mode, code, tries] of cases) {
    const { state, url } = await startSourceServer(t);
    state.mode = mode;
    const options = code === "SOURCE_TIMEOUT" ? BRISK : PATIENT;
    await assert.rejects(new HttpCreditSource({ url, ...options }).credit(account), { code }, mode);
    assert.equal(state.asked, tries, mode);
  }
  const nobody = new HttpCreditSource({ url: "http://127.0.0.1:9", ...PATIENT });
  await assert.rejects(nobody.credit(account), { code: "SOURCE_UNREACHABLE" });
});

test("a fault that passes is mended by trying again", async (t) => {
  const { state, url } = await startSourceServer(t);
  Object.assign(state, { mode: "erroring", illFor: 2 });
  assert.equal((await new HttpCreditSource({ url, ...PATIENT }).credit(account)).scoreBand, "A");
  assert.equal(state.asked, 3);
});

test("nobody waits longer than the budget, whatever is left to try", async (t) => {
  const { state, url } = await startSourceServer(t);
  state.mode = "hanging";
  const source = new HttpCreditSource({ url, timeoutMs: 60_000, retries: 9, budgetMs: 1_000 });
  await assert.rejects(source.credit(account), { code: "SOURCE_TIMEOUT" });
  assert.equal(state.asked, 1);
});

test("a source that keeps failing is left alone, then asked once, then trusted again", async (t) => {
  const { state, url } = await startSourceServer(t);
  state.mode = "erroring";
  t.mock.timers.enable({ apis: ["Date"] });
  const source = new HttpCreditSource({ url, ...PATIENT, retries: 0, suspendAfter: 3, suspendMs: 1_500 });
  for (let failed = 0; failed < 3; failed++) await assert.rejects(source.credit(account), { code: "SOURCE_FAULT" });
  await assert.rejects(source.credit(account), { code: "SOURCE_SUSPENDED" });
  assert.equal(state.asked, 3, "it is not even asked");
  t.mock.timers.tick(1_500);
  await assert.rejects(source.credit(account), { code: "SOURCE_FAULT" });
  await assert.rejects(source.credit(account), { code: "SOURCE_SUSPENDED" });
  state.mode = "well";
  t.mock.timers.tick(1_500);
  assert.equal((await source.credit(account)).scoreBand, "A");
  assert.equal((await source.credit(account)).scoreBand, "A");
});
