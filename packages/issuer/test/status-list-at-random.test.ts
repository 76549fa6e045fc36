import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { nodeCrypto } from "@cairn/cose/node";
import { isRevoked } from "@cairn/messages";
import fc from "fast-check";
import { openIssuerKeys } from "../src/keys/issuer-keys.ts";
import { StatusListPublisher } from "../src/lists/status-list-publisher.ts";
import { systemRandom } from "../src/ports.ts";

const crypto = nodeCrypto();
const NOW = 1_800_000_000;
/** What another process withdrew may be told so much later, and a list that says all may be so old. Seconds. */
const TOLD_WITHIN = 60;
const OLDEST = 600;
const URI = "http://x/v1/status-list";

/** `here`: by this process, which tells its publisher. */
type Step =
  | { readonly kind: "withdraw" | "restore"; readonly index: number; readonly here: boolean }
  | { readonly kind: "issue"; readonly count: number }
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "read" | "clock-back" };

const index = fc.integer({ min: 0, max: 3 });
const here = fc.boolean();
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("withdraw" as const), index, here }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("restore" as const), index, here }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("issue" as const), count: fc.constantFrom(1, 8_192) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.constantFrom(1, 59, 60, 61, 600) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("read" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clock-back" as const) }) },
);

test("whatever is withdrawn or restored by whichever process, no list hides it longer than a minute, or takes it back", async (t) => {
  const dataFolder = await mkdtemp(join(tmpdir(), "cairn-lists-"));
  t.after(() => rm(dataFolder, { recursive: true, force: true }));
  const keyOptions = { dataFolder, passphrase: "long enough", mayCreate: true, random: systemRandom, crypto };
  const keys = await openIssuerKeys({ ...keyOptions, now: NOW - 10 });

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60, size: "max" }), async (steps) => {
      const revoked = new Set<number>();
      let size = 4;
      let now = NOW;
      let lastIssuedAt = 0;
      /** By certificate: what a reader may be told, each until when; without an end what holds. */
      const told = new Map<number, { isRevoked: boolean; until: number }[]>();
      const store = {
        revokedIndices: async () => ({ revoked: [...revoked].sort((one, other) => one - other), size }),
      };
      const publisher = new StatusListPublisher({ uri: () => URI, store, keys, crypto });
      const becomes = (which: number, isNow: boolean, byThis: boolean): void => {
        const before = (told.get(which) ?? [{ isRevoked: false, until: Number.POSITIVE_INFINITY }]).map((each) => ({
          ...each,
          until: Math.min(each.until, byThis ? now - 1 : now + TOLD_WITHIN - 1),
        }));
        told.set(which, [...before, { isRevoked: isNow, until: Number.POSITIVE_INFINITY }]);
      };
      for (const one of steps) {
        if (one.kind === "withdraw" || one.kind === "restore") {
          const isWithdrawn = one.kind === "withdraw";
          if (revoked.has(one.index) === isWithdrawn) continue;
          if (isWithdrawn) revoked.add(one.index);
          else revoked.delete(one.index);
          becomes(one.index, isWithdrawn, one.here);
          if (one.here) publisher.markChanged();
        } else if (one.kind === "issue") size += one.count;
        else if (one.kind === "wait") now += one.seconds;
        else {
          const asked = one.kind === "clock-back" ? now - 1 : now;
          const { content } = await publisher.current(asked);
          assert.ok(content.issuedAt >= lastIssuedAt, "never older than the one before");
          lastIssuedAt = content.issuedAt;
          assert.ok(asked - content.issuedAt < OLDEST, "no older than ten minutes");
          for (const [which, may] of told)
            assert.ok(
              may.some((each) => each.isRevoked === isRevoked(content, which) && each.until >= asked),
              `certificate ${which} ${isRevoked(content, which) ? "is" : "is not"} on the list`,
            );
        }
      }
    }),
    { numRuns: 300 },
  );
});
