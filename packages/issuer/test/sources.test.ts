import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { HttpAccountSource, HttpCreditSource } from "../src/sources/http-sources.ts";
import { START } from "./support/issuer.ts";
import { startSourceServer } from "./support/source-server.ts";
import { makeWorld } from "./support/world.ts";

const DAY = 86_400;

async function withSources(t: TestContext) {
  const { state, url } = await startSourceServer(t);
  state.credit.informedAt = START;
  const options = { url, timeoutMs: 1_000, retries: 0, suspendAfter: 100 };
  const world = await makeWorld(t, {
    creditSource: new HttpCreditSource(options),
    accountSource: new HttpAccountSource(options),
  });
  return { ...world, source: state };
}

test("a sync goes by what the bureau says and by deposits at the bank, each posted once", async (t) => {
  const { wallet, clock, source } = await withSources(t);
  clock.now += 120;
  Object.assign(source.credit, { lineMinor: "20000", informedAt: clock.now - 10 });
  source.account.deposits.push({ depositId: "d-1", amountMinor: "7000" });
  const first = await wallet.sync();
  assert.deepEqual([first.account.balanceMinor, first.account.creditLineMinor], [10_000n, 20_000n]);
  assert.equal(first.decision.kind, "issue");
  const asked = source.asked;
  await wallet.sync();
  assert.equal(source.asked, asked, "what was just heard is not asked for again");
  clock.now += 120;
  source.account.deposits.push({ depositId: "d-2", amountMinor: "1" });
  assert.equal((await wallet.sync()).account.balanceMinor, 10_001n);
  assert.ok(source.seen.some((line) => line.includes("after=d-1")));
  source.account.status = "frozen";
  clock.now += 120;
  const frozen = await wallet.sync({ ahead: true });
  assert.deepEqual([frozen.account.status, frozen.decision.reasons[0]?.code], ["frozen", "ACCOUNT_FROZEN"]);
});

test("syncs are answered while the bureau is down, and refused by name once its word is too old", async (t) => {
  const { wallet, clock, source, logged, operator, account } = await withSources(t);
  await wallet.sync();
  for (const mode of ["hanging", "erroring", "malformed"] as const) {
    source.mode = mode;
    clock.now += 120;
    await operator.topUp(account, { amountMinor: 5_000n, idempotencyKey: mode });
    assert.equal((await wallet.sync({ ahead: true })).decision.kind, "issue", mode);
  }
  assert.ok(logged.some((line) => line.includes("a source did not help") && line.includes("SOURCE_TIMEOUT")));
  clock.now = START + 30 * DAY;
  const stale = await wallet.sync();
  assert.deepEqual([stale.decision.kind, stale.decision.reasons[0]?.code], ["refuse", "CREDIT_INFORMATION_TOO_OLD"]);
  source.mode = "well";
  source.credit.informedAt = clock.now;
  assert.equal((await wallet.sync()).decision.kind, "issue");
});

test("an answer that is old, of the future or contradicts itself changes nothing", async (t) => {
  const { wallet, clock, source, operator, account } = await withSources(t);
  await wallet.sync();
  const held = (await operator.account(account)).creditLineMinor;
  for (const informedAt of [START - DAY, START + DAY]) {
    clock.now += 120;
    Object.assign(source.credit, { lineMinor: "1", informedAt });
    await wallet.sync();
    assert.equal((await operator.account(account)).creditLineMinor, held);
  }
  clock.now += 120;
  source.account.deposits.push({ depositId: "d-1", amountMinor: "100" });
  const { balanceMinor } = (await wallet.sync()).account;
  source.account.deposits = [{ depositId: "d-1", amountMinor: "900" }];
  clock.now += 120;
  assert.equal((await wallet.sync()).account.balanceMinor, balanceMinor, "a deposit has one amount for ever");
});
