import { generateKeyPairSync, sign, verify } from "node:crypto";

/** Each figure is the best of a few rounds: the least disturbed one, since other work on the machine only ever slows. */
const ROUNDS = 5;
const ROUND_MS = 400;

/** Operations per second of one thread. `operation` does `count` of them at a time. */
export async function perSecond(count: number, operation: () => unknown): Promise<number> {
  await operation();
  let best = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    let done = 0;
    while (performance.now() - begin < ROUND_MS) {
      await operation();
      done += count;
    }
    best = Math.max(best, (done / (performance.now() - begin)) * 1000);
  }
  return best;
}

const OPTIONS = { dsaEncoding: "ieee-p1363" } as const;
const BATCH = 64;

/** The physical limit: raw ES256 operations of this runtime on one core, with a ready key and a message of typical size. */
export async function rawEs256(): Promise<{ verifyPerSecond: number; signPerSecond: number }> {
  const { privateKey, message } = typicalSignature();
  const signPerSecond = await perSecond(BATCH, () => {
    for (let index = 0; index < BATCH; index++) sign("sha256", message, { key: privateKey, ...OPTIONS });
  });
  return { verifyPerSecond: await rawVerify(), signPerSecond };
}

/** Of these the verifications alone. */
export function rawVerify(): Promise<number> {
  const { publicKey, message, signature } = typicalSignature();
  return perSecond(BATCH, () => {
    for (let index = 0; index < BATCH; index++) {
      if (!verify("sha256", message, { key: publicKey, ...OPTIONS }, signature))
        throw new Error("A valid signature was refused.");
    }
  });
}

function typicalSignature() {
  const message = Buffer.alloc(140, 7);
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { message, privateKey, publicKey, signature: sign("sha256", message, { key: privateKey, ...OPTIONS }) };
}
