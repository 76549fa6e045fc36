import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { CodedError, encodeCbor } from "@cairn/cose";
import { deviceIdOf, followingNonce, readSignedCall, splitRecords, writeSignedCall } from "@cairn/messages";
import { crypto } from "../../vectors/world.ts";
import { join } from "../mutate-bytes.ts";
import { mustHold, type Target } from "../target.ts";
import { checkAnswer, checkProblem } from "./answer.ts";
import { IssuerWorld } from "./issuer-world.ts";

/**
 * Uploads as terminals really send them: in portions over one connection, each hanging on the one before it, and
 * compressed. The first byte of an input says how its records are sent, the second how the connection cuts them; the
 * rest are the records.
 */
const CODINGS = [
  undefined,
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["br", brotliCompressSync],
  ["zstd", zstdCompressSync],
] as const;
/** The rest of the input is the packed body itself, for the unpackers to choke on. */
const AS_IT_IS = 0x80;
const IN_ONE_CALL = 0x40;
/** The nonce of the second portion hangs on nothing. */
const BROKEN_CHAIN = 0x20;
/** The last byte never comes. */
const CUT_OFF = 0x10;
/** What `fetch` asks for when a body is a stream. */
const STREAMED = { duplex: "half" } as const;
const RECORDS_IN_A_PORTION = 2;
/** The world grows with every record that it takes. */
const INPUTS_PER_WORLD = 4_000;

export async function openHttpUpload(): Promise<Target> {
  let world = await IssuerWorld.open();
  const seeds = await seedsOf(world);
  let inputs = 0;
  return {
    name: "http-upload",
    shape: "bytes",
    seeds,
    run: async (input) => {
      if (++inputs % INPUTS_PER_WORLD === 0) {
        await world.close();
        world = await IssuerWorld.open();
      }
      const [head = 0, cut = 0] = input;
      const given = input.subarray(2);
      const coding = CODINGS[(head & 0x0f) % CODINGS.length];
      const calls = (head & AS_IT_IS) === 0 ? await callsOf(given, head, world) : undefined;
      const plain = calls === undefined ? given : join(...calls);
      const whole = calls === undefined || coding === undefined ? plain : coding[1](plain);
      const body = (head & CUT_OFF) === 0 ? whole : whole.subarray(0, -1);
      const hangsOnNothing = (head & BROKEN_CHAIN) !== 0 && calls !== undefined && calls.length > 1;
      const isBroken = hangsOnNothing || (head & CUT_OFF) !== 0;
      const response = await fetch(`${world.issuer.url}/v1/uploads${(head & IN_ONE_CALL) === 0 ? "/stream" : ""}`, {
        method: "POST",
        headers: {
          "content-type": "application/cbor-seq",
          ...(coding === undefined ? {} : { "content-encoding": coding[0] }),
        },
        ...Object.assign({ body: ReadableStream.from(inPieces(body, 16 + cut * 64)) }, STREAMED),
      });
      if ((head & IN_ONE_CALL) !== 0 || response.status !== 202) await checkAnswer(response);
      else checkEvents(await response.text(), { sent: calls?.length, isBroken });
      world.checkLog();
    },
    close: () => world.close(),
  };
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** One answer for each portion, in order, and at last the end or a known problem. The end only when nothing is missing. */
function checkEvents(text: string, about: { readonly sent: number | undefined; readonly isBroken: boolean }): void {
  const told = [...text.matchAll(/^event: (\w+)\ndata: (.*)\n\n/gm)].map(([, event, data = ""]) => ({ event, data }));
  const last = told.at(-1);
  const received = told.filter(({ event }) => event === "received");
  for (const [index, { data }] of received.entries())
    mustHold((JSON.parse(data) as { readonly portion: number }).portion === index, `Portions out of order: ${text}`);
  if (last?.event === "problem") checkProblem((JSON.parse(last.data) as { readonly status: number }).status, last.data);
  else mustHold(last?.event === "end", `The answer has no end: ${text}`);
  if (about.sent === undefined || last?.event !== "end") return;
  mustHold(received.length === about.sent, `Of ${about.sent} portions, ${received.length} were answered.`);
  mustHold(!about.isBroken, "An upload ended well that was cut off, or of which a portion hangs on nothing.");
}

/** The records in portions, each an upload call of the terminal; what is no sequence of records is one portion. */
async function callsOf(content: Uint8Array, head: number, { terminal, clock }: IssuerWorld): Promise<Uint8Array[]> {
  const { signer, client } = terminal;
  const callerId = deviceIdOf(signer.publicKey, crypto);
  const calls: Uint8Array[] = [];
  let nonce = await client.nonce();
  const first = nonce;
  for (const portion of (head & IN_ONE_CALL) === 0 ? portionsOf(content) : [content]) {
    const about = { callerId, nonce, content: portion, issuedAt: clock.nowSeconds() };
    const call = await writeSignedCall("upload", about, { signer, crypto });
    calls.push((head & IN_ONE_CALL) === 0 ? encodeCbor(call) : call);
    nonce =
      (head & BROKEN_CHAIN) === 0 ? followingNonce(readSignedCall("upload", call, crypto).envelope.messageId) : first;
  }
  return calls;
}

function portionsOf(content: Uint8Array): Uint8Array[] {
  try {
    const records = splitRecords(content);
    const portions: Uint8Array[] = [];
    for (let at = 0; at < records.length; at += RECORDS_IN_A_PORTION)
      portions.push(join(...records.slice(at, at + RECORDS_IN_A_PORTION)));
    return portions.length === 0 ? [content] : portions;
  } catch (error) {
    if (error instanceof CodedError) return [content];
    throw error;
  }
}

async function seedsOf({ wallet, terminal }: IssuerWorld): Promise<Uint8Array[]> {
  const certificate = wallet.held();
  const records: Uint8Array[] = [];
  for (let count = 0; count < 5; count++) {
    const asked = await terminal.request(100n);
    records.push(terminal.record(asked, certificate, await wallet.pay(asked)));
  }
  const all = join(...records);
  const seed = (head: number, cut: number, ...content: readonly Uint8Array[]) =>
    join(Uint8Array.of(head, cut), ...content);
  return [
    ...CODINGS.map((_, index) => seed(index, index * 20, all)),
    ...CODINGS.map((_, index) => seed(IN_ONE_CALL | index, 255, all)),
    ...CODINGS.flatMap((coding, index) => [
      seed(AS_IT_IS | index, 0, coding === undefined ? all : coding[1](all)),
      // Much in little: unpacking must stop at the largest body.
      seed(AS_IT_IS | IN_ONE_CALL | index, 0, coding === undefined ? all : coding[1](new Uint8Array(4_000_000))),
    ]),
    seed(BROKEN_CHAIN, 3, all),
    seed(CUT_OFF, 255, all),
    seed(CUT_OFF | 1, 0, all),
    seed(0, 1),
  ];
}
