import { constants, platform, setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { type P256PublicKey, publicKeyFromPoint } from "@cairn/cose";
import { nodeCrypto, openSignatureBatches } from "@cairn/cose/node";
import { RecentCache } from "./recent-cache.ts";
import { unpackJob, type VerificationAnswer, type VerificationJob } from "./verification-job.ts";
import { verifySignatures } from "./verify-signatures.ts";

/** One thread of the verification pool: it verifies signatures and remembers nothing but keys. */

// The main thread goes first: it serves calls and writes, and what it wrote gives these threads their work. On Linux
// priorities are a thread's own; elsewhere this one would be the whole process's.
if (platform() === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

const REMEMBERED_KEYS = 20_000;
const crypto = nodeCrypto({ keyCacheSize: REMEMBERED_KEYS });
const batches = openSignatureBatches();
const keys = new RecentCache<string, P256PublicKey>(REMEMBERED_KEYS);

parentPort?.on("message", async (job: VerificationJob) => {
  const found = await verifySignatures(unpackJob(job, rememberedKey), [...job.bringers], { crypto, batches });
  parentPort?.postMessage({ jobId: job.jobId, ...found } satisfies VerificationAnswer);
});

/** One object for one point: what was worked out for a key is remembered by the object. */
function rememberedKey(point: Uint8Array): P256PublicKey {
  const name = Buffer.from(point.buffer, point.byteOffset, point.length).toString("latin1");
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = publicKeyFromPoint(point);
  keys.set(name, key);
  return key;
}
