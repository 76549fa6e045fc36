import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { IssuerStore } from "@cairn/stores";
import { ReceiverCredits } from "../src/services/receiver-credits.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

test("whoever waits for what was settled before waits for the rounds that see it, and for no later one", async () => {
  const begun: PromiseWithResolvers<[]>[] = [];
  const operationRecords = (): Promise<[]> => {
    const round = Promise.withResolvers<[]>();
    begun.push(round);
    return round.promise;
  };
  const store = { operationRecords } as Partial<IssuerStore> as IssuerStore;
  const clock = { nowSeconds: () => 0 };
  const credits = new ReceiverCredits({ store, clock, log, onCredited: () => undefined });
  await credits.caughtUp();
  assert.equal(begun.length, 0, "nothing was settled");

  const told: string[] = [];
  const wait = (name: string): void => void credits.caughtUp().then(() => told.push(name));
  credits.wake();
  wait("in the first round");
  credits.wake();
  wait("after the first had begun");
  await setImmediate();
  assert.deepEqual(told, []);
  begun[0]?.resolve([]);
  await setImmediate();
  assert.deepEqual(told, ["in the first round"]);
  credits.wake();
  begun[1]?.resolve([]);
  await setImmediate();
  assert.deepEqual(told, ["in the first round", "after the first had begun"], "a third round is under way");
  assert.equal(begun.length, 3);
  begun[2]?.resolve([]);
  await credits.idle();
});
