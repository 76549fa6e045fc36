import assert from "node:assert/strict";
import { test } from "node:test";
import type { FaultKind } from "../src/faults.ts";
import { Disk } from "../src/kernel/disk.ts";
import { Fate } from "../src/kernel/fate.ts";
import { Kernel, Node } from "../src/kernel/kernel.ts";
import { Network, NoAnswer } from "../src/kernel/network.ts";
import { Seeded } from "../src/kernel/seeded.ts";

const quiet = () => undefined;

function world(...kinds: readonly FaultKind[]) {
  const faults: unknown[] = [];
  const kernel = new Kernel({ seed: "kernel", start: 0, onFault: (error) => faults.push(error) });
  const fate = new Fate({ kernel, kinds: new Set(kinds), allowed: undefined, tell: quiet });
  return { kernel, fate, faults };
}

test("chance is the same for a seed and another for another", () => {
  const words = (...parts: (string | number)[]) => {
    const random = new Seeded(...parts);
    return Array.from({ length: 8 }, () => random.word());
  };
  assert.deepEqual(words("a", 1), words("a", 1));
  assert.notDeepEqual(words("a", 1), words("a", 2));
  assert.notDeepEqual(words("a", 1), words("b", 1));
  const random = new Seeded("spread");
  const counts = new Array(10).fill(0);
  for (let number = 0; number < 10_000; number += 1) counts[random.below(10)] += 1;
  for (const count of counts) assert.ok(count > 850 && count < 1_150, `${counts}`);
});

test("things happen in the order of their time, and of one time in the order in which they were put down", async () => {
  const { kernel } = world();
  const seen: string[] = [];
  const say = (word: string) => () => void seen.push(word) as undefined;
  const random = new Seeded("order");
  const times = Array.from({ length: 500 }, () => random.below(50));
  for (const [index, at] of times.entries())
    kernel.at(at, undefined, say(`${String(at).padStart(2, "0")} ${String(index).padStart(3, "0")}`));
  await kernel.run(100);
  assert.equal(seen.length, 500);
  assert.deepEqual(seen, seen.toSorted());
});

test("code from before a crash never goes on", async () => {
  const { kernel, fate, faults } = world("crashes");
  const node = new Node("a phone");
  const seen: string[] = [];
  kernel.at(0, node, async () => {
    seen.push("before");
    await kernel.sleep(node, 1_000);
    seen.push("after");
  });
  kernel.at(500, undefined, () => fate.kill(node));
  await kernel.run(1_000_000);
  assert.deepEqual(seen, ["before"]);
  assert.equal(node.isUp, true);
  assert.equal(node.incarnation, 1);
  assert.deepEqual(faults, []);
});

test("a crash keeps a random part of what was not synced, and its writer never hears", async () => {
  let kept = 0;
  let lost = 0;
  for (let number = 0; number < 200; number += 1) {
    const kernel = new Kernel({ seed: `disk ${number}`, start: 0, onFault: quiet });
    const fate = new Fate({ kernel, kinds: new Set(["crashes"]), allowed: undefined, tell: quiet });
    const node = new Node("a phone");
    const disk = new Disk({ kernel, fate, node, counts: { records: 0, syncs: 0 } });
    fate.doom(node);
    const { isKept, acknowledged } = disk.write(2);
    assert.notEqual(acknowledged, undefined);
    if (isKept) kept += 1;
    else lost += 1;
    await kernel.run(10_000_000);
    assert.equal(disk.isGone, true);
  }
  assert.ok(kept > 40 && lost > 40, `${kept} kept, ${lost} lost`);
});

test("who calls a server that is down, or dies over the call, hears that there was no answer", async () => {
  const { kernel } = world();
  const { fate } = world();
  const network = new Network(kernel, fate);
  const server = new Node("the server");
  const client = new Node("a phone");
  const answers: string[] = [];
  const ask = (handle: () => Promise<string>) => {
    kernel.after(0, client, async () => {
      try {
        answers.push(await network.call(client, server, handle));
      } catch (error) {
        answers.push(error instanceof NoAnswer ? "no answer" : "?");
      }
    });
  };
  ask(async () => "yes");
  await kernel.run(100_000);
  ask(async () => {
    fate.kill(server);
    await new Promise(() => undefined);
    return "never";
  });
  await kernel.run(kernel.now + 300_000);
  server.isUp = false;
  ask(async () => "never");
  await kernel.run(kernel.now + 300_000);
  assert.deepEqual(answers, ["yes", "no answer", "no answer"]);
});
