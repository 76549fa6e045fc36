import { cpus } from "node:os";
import { generateNodeSigner, nodeCrypto } from "@cairn/cose/node";
import {
  decodeMessage,
  isRefusal,
  isRevoked,
  keyIdOf,
  type StatusList,
  signMessage,
  statusBits,
  statusList,
  verifyUnder,
} from "@cairn/messages";
import { perSecond } from "./measure.ts";

const CERTIFICATES = 1_000_000;
const SHARES_PER_MILLE = [1, 10, 100] as const;
/** Withdrawn between two looks of a terminal that goes online once a day. */
const NEWLY_WITHDRAWN = 10;
const ROUNDS = 15;

/**
 * What a status list of a million live certificates costs: bytes as fetched, milliseconds to build and sign one, to
 * decode and verify one, and nanoseconds to look one certificate up. `delta` is what a signed list of the changes alone
 * would take (the two lists' bits, one against the other): the figure behind decision 0073. Withdrawn places are drawn
 * evenly, by a seeded generator, which compresses worst.
 */
export async function statusListFigures(report: (line: string) => void): Promise<Record<string, unknown>> {
  const figures: Record<string, unknown> = {
    machine: `${cpus()[0]?.model ?? "unknown"}, ${cpus().length} threads, Node.js ${process.version}`,
    date: new Date().toISOString().slice(0, 10),
    certificates: CERTIFICATES,
  };
  for (const perMille of SHARES_PER_MILLE) {
    report(`${perMille / 10} % of ${CERTIFICATES} withdrawn`);
    figures[`withdrawn${perMille}PerMille`] = await figuresFor((CERTIFICATES * perMille) / 1000);
  }
  return figures;
}

async function figuresFor(withdrawn: number) {
  const crypto = nodeCrypto();
  const signer = generateNodeSigner();
  const random = seeded(withdrawn);
  const revoked = distinct(withdrawn, random);
  const later = new Set([...revoked, ...distinct(NEWLY_WITHDRAWN, random)]);
  const content = (bits: Uint8Array): StatusList => ({
    issuerKeyId: keyIdOf(signer.publicKey, crypto),
    uri: "https://pay.example/v1/status-list",
    issuedAt: 1_800_000_000,
    expiresAt: 1_800_604_800,
    timeToLiveSeconds: 3_600,
    bits,
  });
  const build = async () =>
    signMessage(statusList, content(statusBits({ size: CERTIFICATES, revoked })), { signer, crypto });
  const list = await build();
  const check = async () => {
    const decoded = decodeMessage(statusList, list.bytes, crypto);
    if (isRefusal(await verifyUnder(decoded, signer.publicKey, crypto))) throw new Error("The list is not genuine.");
  };
  const before = list.content.bits;
  const changed = statusBits({ size: CERTIFICATES, revoked: later }).map((byte, at) => byte ^ (before[at] ?? 0));
  const delta = await signMessage(statusList, content(changed), { signer, crypto });
  let at = 0;
  const lookUp = () => {
    for (let index = 0; index < 1_000; index++)
      at = (at + 1 + (isRevoked(list.content, at) ? 1 : 7_919)) % CERTIFICATES;
  };
  return {
    listBytes: list.bytes.length,
    deltaBytes: delta.bytes.length,
    buildMs: await bestMs(build),
    verifyMs: await bestMs(check),
    lookUpNs: Math.round(1e9 / (await perSecond(1_000, lookUp))),
  };
}

/** The best of a few: other work on the machine only ever slows. */
async function bestMs(work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now();
    await work();
    best = Math.min(best, performance.now() - begin);
  }
  return Math.round(best * 100) / 100;
}

function distinct(count: number, random: () => number): Set<number> {
  const found = new Set<number>();
  while (found.size < count) found.add(Math.floor(random() * CERTIFICATES));
  return found;
}

/** Mulberry32: the same places in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
