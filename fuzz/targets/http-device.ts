import {
  type CborValue,
  CodedError,
  decodeCbor,
  decodeSign1,
  encodeCbor,
  finishSign1,
  prepareSign1,
  publicKeyToCbor,
  type Signer,
} from "@cairn/cose";
import {
  type CallPurpose,
  deviceIdOf,
  encodeUploadRecord,
  fromHex,
  splitRecords,
  writeSignedCall,
} from "@cairn/messages";
import { crypto, KINDS, type KindName } from "../../vectors/world.ts";
import { join } from "../mutate-bytes.ts";
import type { Target } from "../target.ts";
import { checkAnswer } from "./answer.ts";
import { IssuerWorld } from "./issuer-world.ts";

/**
 * The routes of wallets and terminals. The first byte of an input says which route is called, by whom, and how much of
 * it is signed anew: what is signed by an enrolled key gets past the signatures, down to settlement.
 */
export const DEVICE_ROUTES = [
  { path: "/v1/sync", purpose: "sync" },
  { path: "/v1/uploads", purpose: "upload" },
  { path: "/v1/outcomes", purpose: "outcomes" },
  { path: "/v1/enrolments/device", purpose: "enrolment" },
  { path: "/v1/enrolments/terminal", purpose: "enrolment" },
  { path: "/v1/sync?ahead=true", purpose: "sync" },
  { path: "/v1/devices", purpose: "devices" },
  { path: "/v1/losses", purpose: "loss" },
  { path: "/v1/receiving", purpose: "receiving" },
  { path: "/v1/refunds", purpose: "refund" },
  { path: "/v1/events", purpose: "events" },
  { path: "/v1/outcomes/stream", purpose: "outcomes" },
  { path: "/v1/uploads/stream", purpose: "upload" },
] as const satisfies readonly { readonly path: string; readonly purpose: CallPurpose }[];
const SYNC = 0;
const UPLOAD = 1;
const OUTCOMES = 2;
const ENROL_DEVICE = 3;
const DEVICES = 6;
const LOSS = 7;
const RECEIVING = 8;
const REFUND = 9;
const EVENTS = 10;
const OUTCOMES_STREAM = 11;
const UPLOAD_STREAM = 12;
const BY_TERMINAL = 0x40;
const RESIGN = 0x20;
const UNSIGNED = 0x80;
/** The world grows with every record that it takes. */
const INPUTS_PER_WORLD = 4_000;

/** Who signs what stands where in a record: by the record's kind and length (packages/messages/src/records.ts). */
type Place = { readonly at: number; readonly kind: KindName; readonly by: "wallet" | "terminal" };
const PLACES: Readonly<Record<string, readonly Place[]>> = {
  "upload 1": [
    { at: 2, kind: "payment-request", by: "terminal" },
    { at: 4, kind: "payment", by: "wallet" },
  ],
  "upload 2": [
    { at: 2, kind: "capture", by: "terminal" },
    { at: 4, kind: "open-payment", by: "wallet" },
  ],
  "upload 3": [
    { at: 2, kind: "payment-request", by: "terminal" },
    { at: 3, kind: "void", by: "terminal" },
  ],
  "sync 1": [{ at: 1, kind: "closing", by: "wallet" }],
  "sync 2": [
    { at: 2, kind: "payment", by: "wallet" },
    { at: 4, kind: "payment-request", by: "terminal" },
    { at: 5, kind: "receipt", by: "terminal" },
    { at: 6, kind: "void", by: "terminal" },
  ],
  "sync 3": [
    { at: 2, kind: "open-payment", by: "wallet" },
    { at: 4, kind: "receipt", by: "terminal" },
  ],
};

export async function openHttpDevice(): Promise<Target> {
  let world = await IssuerWorld.open();
  const seeds = await seedsOf(world);
  let inputs = 0;
  return {
    name: "http-device",
    shape: "bytes",
    seeds,
    run: async (input) => {
      if (++inputs % INPUTS_PER_WORLD === 0) {
        await world.close();
        world = await IssuerWorld.open();
      }
      const head = input[0] ?? 0;
      const index = (head & 0x1f) % DEVICE_ROUTES.length;
      const { path, purpose } = DEVICE_ROUTES[index] ?? DEVICE_ROUTES[0];
      const given = input.subarray(1);
      const content = (head & RESIGN) === 0 ? given : await resigned(given, purpose, world);
      const caller = (head & BY_TERMINAL) === 0 ? world.wallet : world.terminal;
      const call = (head & UNSIGNED) === 0 ? await bodyOf({ purpose, content, caller, world }) : given;
      // A stream takes portions, each a byte string; whoever signs nothing sends what it likes.
      const body = index === UPLOAD_STREAM && (head & UNSIGNED) === 0 ? encodeCbor(call) : call;
      const enough = new AbortController();
      const response = await fetch(`${world.issuer.url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/cbor-seq" },
        body: new Uint8Array(body),
        signal: enough.signal,
      });
      if (index === EVENTS || index === OUTCOMES_STREAM) await checkStream(response, enough);
      else await checkAnswer(response);
      world.checkLog();
    },
    close: () => world.close(),
  };
}

/** A stream that goes on: its first words are enough. */
async function checkStream(response: Response, enough: AbortController): Promise<void> {
  if (response.status !== 200) return checkAnswer(response);
  await response.body?.getReader().read();
  enough.abort();
}

async function bodyOf(call: {
  readonly purpose: CallPurpose;
  readonly content: Uint8Array;
  readonly caller: IssuerWorld["wallet" | "terminal"];
  readonly world: IssuerWorld;
}): Promise<Uint8Array> {
  const { purpose, content, caller, world } = call;
  const callerId = deviceIdOf(caller.signer.publicKey, crypto);
  const about = { callerId, nonce: await caller.client.nonce(), content, issuedAt: world.clock.nowSeconds() };
  return writeSignedCall(purpose, about, { signer: caller.signer, crypto });
}

/** Signs every message of every record anew, whatever it now says. What is no record stays as it is. */
async function resigned(content: Uint8Array, purpose: CallPurpose, world: IssuerWorld): Promise<Uint8Array> {
  try {
    const records = await Promise.all(
      splitRecords(content).map(async (bytes) => {
        const value = decodeCbor(bytes);
        if (!Array.isArray(value)) return bytes;
        const row: CborValue[] = [...value];
        for (const { at, kind, by } of PLACES[`${purpose} ${String(value[0])}`] ?? []) {
          const message = row[at];
          if (message instanceof Uint8Array) row[at] = await signedAnew(message, kind, world[by].signer);
        }
        return encodeCbor(row);
      }),
    );
    return join(...records);
  } catch (error) {
    if (error instanceof CodedError) return content;
    throw error;
  }
}

async function signedAnew(message: Uint8Array, name: KindName, signer: Signer): Promise<Uint8Array> {
  const { form } = KINDS[name].kind;
  try {
    const { headers, payload } = decodeSign1(message, form);
    const prepared = prepareSign1({ headers, payload, form });
    return finishSign1(prepared, await signer.sign(prepared.toBeSigned));
  } catch (error) {
    if (error instanceof CodedError) return message;
    throw error;
  }
}

/** What honest parties send: payments of both kinds, voids, receipts, a closing, questions, an enrolment. */
async function seedsOf({ wallet, terminal, operator }: IssuerWorld): Promise<Uint8Array[]> {
  const certificate = wallet.held();
  const asked = await terminal.request(700n);
  const paid = await wallet.pay(asked);
  const open = await wallet.payOpen(500n);
  const given = await terminal.request(300n);
  const wasted = await wallet.pay(given);
  const requestVoid = await terminal.void(given);
  const upload = terminal.record(asked, certificate, paid);
  const capture = await terminal.captureRecord(certificate, open, 400n);
  const voidRecord = encodeUploadRecord({
    kind: "void",
    payeeCertificate: given.payeeCertificate,
    request: given.request.bytes,
    requestVoid,
  });
  const sync = wallet.record(paid, { request: asked, receipt: await terminal.receipt(paid, 700n) });
  const syncVoided = wallet.record(wasted, { request: given, requestVoid });
  const closing = await wallet.closingRecord();
  const { code } = await operator.createDeviceCode(1);
  const key = publicKeyToCbor(KINDS.payment.by.publicKey);
  const seed = (head: number, ...content: readonly Uint8Array[]) => join(Uint8Array.of(head), ...content);
  const terminals = UPLOAD | BY_TERMINAL;
  return [
    seed(SYNC),
    seed(5),
    seed(SYNC, sync),
    seed(SYNC | RESIGN, sync, syncVoided),
    seed(terminals, upload),
    seed(terminals | RESIGN, upload, capture, voidRecord),
    seed(terminals | RESIGN, capture),
    seed(SYNC | RESIGN, closing),
    seed(OUTCOMES, encodeCbor([fromHex(paid.messageId), fromHex(open.messageId)])),
    seed(OUTCOMES | BY_TERMINAL, encodeCbor([fromHex(paid.messageId)])),
    seed(ENROL_DEVICE, encodeCbor([code, key, 2, "phone"])),
    seed(ENROL_DEVICE + 1, encodeCbor(["AAAAA-AAAAA", key, 0, "till"])),
    seed(UPLOAD | UNSIGNED, upload),
    seed(DEVICES),
    seed(LOSS, encodeCbor(fromHex(deviceIdOf(KINDS.payment.by.publicKey, crypto)))),
    seed(RECEIVING, encodeCbor(fromHex(deviceIdOf(KINDS.payment.by.publicKey, crypto)))),
    seed(REFUND | BY_TERMINAL, encodeCbor([fromHex(paid.messageId), 100, "first"])),
    seed(EVENTS),
    seed(OUTCOMES_STREAM, encodeCbor([fromHex(paid.messageId)])),
    seed(UPLOAD_STREAM | BY_TERMINAL | RESIGN, upload, capture),
    seed(UPLOAD_STREAM | UNSIGNED, encodeCbor(upload)),
  ];
}
