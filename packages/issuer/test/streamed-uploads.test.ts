import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { encodeCbor } from "@cairn/cose";
import {
  followingNonce,
  joinRecords,
  MAXIMUM_BODY_BYTES,
  type MessageId,
  readSignedCall,
  type ServerNonce,
  terminalIdOf,
  writeSignedCall,
} from "@cairn/messages";
import type { PortionAnswer, UploadEnd } from "../src/api/device-api.ts";
import { IssuerClient } from "../src/client/issuer-client.ts";
import { streamUpload } from "../src/client/stream-upload.ts";
import { cutter } from "./support/cutter.ts";
import { eventually } from "./support/issuer.ts";
import type { TestTerminal } from "./support/terminal.ts";
import { crypto } from "./support/values.ts";
import { addTerminal, makeWorld, type World } from "./support/world.ts";

type Sale = { readonly record: Uint8Array; readonly paymentId: MessageId };

/** Payments of one cent each, as the terminal accepted them. */
async function sales(world: World, count: number): Promise<Sale[]> {
  if (world.wallet.certificate === undefined) await world.wallet.sync();
  const made: Sale[] = [];
  for (let index = 0; index < count; index++) {
    const shown = await world.terminal.request(1n);
    const paid = await world.wallet.pay(shown);
    made.push({ record: world.terminal.record(shown, world.wallet.held(), paid), paymentId: paid.messageId });
  }
  return made;
}

const inPortions = (made: readonly Sale[], size: number): Uint8Array[][] =>
  Array.from({ length: Math.ceil(made.length / size) }, (_, index) =>
    made.slice(index * size, (index + 1) * size).map(({ record }) => record),
  );

async function* each<Value>(values: readonly Value[]): AsyncGenerator<Value> {
  yield* values;
}

async function heard(stream: AsyncGenerator<PortionAnswer, UploadEnd>) {
  const portions: PortionAnswer[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done === true) return { portions, end: next.value };
    portions.push(next.value);
  }
}

const streamOptions = (world: World, terminal: TestTerminal, url = world.issuer.url) => ({
  url,
  signer: terminal.signer,
  crypto,
  clock: world.clock,
});

/** The account is poorer by what was settled, and by no cent more. */
async function assertSettledOnce(world: World, made: readonly Sale[]): Promise<void> {
  const ids = made.map(({ paymentId }) => paymentId);
  await eventually(async () =>
    (await world.terminal.client.outcomes(ids)).payments.every(({ state }) => state === "settled"),
  );
  const { balanceMinor } = await world.operator.account(world.account);
  assert.equal(balanceMinor, 3_000n - BigInt(made.length));
  assert.deepEqual((await world.operator.verifyBooks()).faults, []);
}

/** What a terminal would send: each portion a signed call in a byte string, its nonce naming the one before. */
async function signedStream(world: World, terminal: TestTerminal, portions: readonly Uint8Array[][]) {
  const callerId = terminalIdOf(terminal.signer.publicKey, crypto);
  const bodies: Uint8Array[] = [];
  let nonce: ServerNonce = await terminal.client.nonce();
  for (const records of portions) {
    const about = { callerId, nonce, content: joinRecords(records), issuedAt: world.clock.now };
    const body = await writeSignedCall("upload", about, { signer: terminal.signer, crypto });
    bodies.push(body);
    nonce = followingNonce(readSignedCall("upload", body, crypto).envelope.messageId);
  }
  return bodies;
}

type Opened = { readonly call: ClientRequest; readonly answer: Promise<IncomingMessage> };

function open(t: TestContext, world: World, headers: Record<string, string> = {}): Opened {
  const call = request(`${world.issuer.url}/v1/uploads/stream`, {
    method: "POST",
    headers: { "content-type": "application/cbor-seq", ...headers },
  });
  t.after(() => call.destroy());
  const answer = new Promise<IncomingMessage>((resolve, reject) => call.on("response", resolve).on("error", reject));
  return { call, answer };
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function send(t: TestContext, world: World, bytes: Uint8Array, headers: Record<string, string> = {}) {
  const { call, answer } = open(t, world, headers);
  call.end(bytes);
  const come = await answer;
  return { status: come.statusCode, text: await textOf(come) };
}

const sequence = (bodies: readonly Uint8Array[]): Uint8Array => Buffer.concat(bodies.map((body) => encodeCbor(body)));
const eventNames = (text: string): string[] => [...text.matchAll(/^event: (\w+)$/gm)].map(([, name = ""]) => name);

test("a terminal uploads portion after portion over one connection, each durable before it is acknowledged", async (t) => {
  const world = await makeWorld(t);
  const made = await sales(world, 25);
  const { portions, end } = await heard(
    streamUpload(streamOptions(world, world.terminal), each(inPortions(made, 10)), { inFlight: 2 }),
  );
  assert.deepEqual(
    portions.map(({ portion, records }) => [portion, records.length]),
    [
      [0, 10],
      [1, 10],
      [2, 5],
    ],
  );
  assert.ok(portions.every(({ records }) => records.every(({ state }) => state === "received")));
  assert.equal(end.portions, 3);
  assert.ok(end.trustList.length > 0 && end.statusList.length > 0 && end.payeeCertificate.length > 0);
  await assertSettledOnce(world, made);
});

test("cut off at any byte in either direction, an upload goes on with what was not acknowledged: nothing is lost or doubled", async (t) => {
  const world = await makeWorld(t);
  const made = await sales(world, 120);
  const rest = inPortions(made, 6);
  const way = await cutter(t, world.issuer.url);
  for (let tries = 0; rest.length > 0 && tries < 400; tries++) {
    way.cutAfter(randomInt(1, 12_000));
    try {
      const options = streamOptions(world, world.terminal, way.url);
      for await (const { records } of streamUpload(options, each([...rest]))) {
        assert.ok(records.every(({ state }) => state === "received"));
        rest.shift();
      }
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : error;
      assert.match(String(code), /^(ISSUER_UNREACHABLE|ISSUER_TIMEOUT|ISSUER_REPLY_INVALID)$/);
    }
  }
  assert.deepEqual(rest, []);
  assert.ok(way.cuts() > 3, `cut ${way.cuts()} times`);
  await assertSettledOnce(world, made);
});

test("a stolen stream is worth nothing: not again, not in part, not in another order, not in anybody else's", async (t) => {
  const world = await makeWorld(t);
  const made = await sales(world, 6);
  const [first, second, third] = await signedStream(world, world.terminal, inPortions(made, 2));
  assert.ok(first && second && third);
  const reordered = await send(t, world, sequence([first, third, second]));
  assert.deepEqual(eventNames(reordered.text), ["received", "problem"]);
  assert.match(reordered.text, /NONCE_INVALID/);
  for (const [stolen, why] of [
    [[first, second, third], "the same again"],
    [[second, third], "without its beginning"],
  ] as const) {
    const { status, text } = await send(t, world, sequence(stolen));
    assert.equal(status, 401, why);
    assert.match(text, /NONCE_INVALID/, why);
  }
  const single = await fetch(`${world.issuer.url}/v1/uploads`, {
    method: "POST",
    headers: { "content-type": "application/cbor-seq" },
    body: new Uint8Array(second),
  });
  assert.equal(single.status, 401);
  const thief = await addTerminal(world);
  const [own] = await signedStream(world, thief, [[]]);
  assert.ok(own);
  const mixed = await send(t, world, sequence([own, second]));
  assert.deepEqual(eventNames(mixed.text), ["received", "problem"]);
  assert.match(mixed.text, /NONCE_INVALID/);
  // Only what the honest beginning brought has an effect.
  await assertSettledOnce(world, made.slice(0, 2));
});

test("compressed streams are unpacked as they come; bad ones, bombs and what is no portion are turned away", async (t) => {
  const world = await makeWorld(t);
  const made = await sales(world, 8);
  const packers = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync, zstd: zstdCompressSync };
  const lots = inPortions(made, 2);
  for (const [index, [encoding, pack]] of Object.entries(packers).entries()) {
    const bytes = pack(sequence(await signedStream(world, world.terminal, [lots[index] ?? []])));
    const { status, text } = await send(t, world, bytes, { "content-encoding": encoding });
    assert.equal(status, 202);
    assert.deepEqual(eventNames(text), ["received", "end"], encoding);
    const cut = await send(t, world, bytes.subarray(0, -9), { "content-encoding": encoding });
    assert.match(cut.text, /BODY_ENCODING_INVALID|NONCE_INVALID/);
    const noise = await send(t, world, Buffer.alloc(64, 0xa5), { "content-encoding": encoding });
    assert.match(noise.text, /BODY_ENCODING_INVALID/, encoding);
  }
  const zeros = Buffer.alloc(50 * MAXIMUM_BODY_BYTES);
  assert.match((await send(t, world, gzipSync(zeros), { "content-encoding": "gzip" })).text, /CALL_MALFORMED/);
  const long = Buffer.concat([Uint8Array.of(0x5a, 0x7f, 0xff, 0xff, 0xff), zeros]);
  assert.match((await send(t, world, gzipSync(long), { "content-encoding": "gzip" })).text, /BODY_TOO_LARGE/);
  // Short enough for a portion, and only the beginning of one: it would be held until the rest had its time to arrive.
  const held = Buffer.concat([Uint8Array.of(0x5a, 0, 0x20, 0, 0), zeros.subarray(0, MAXIMUM_BODY_BYTES - 1)]);
  for (const [encoding, pack] of Object.entries(packers))
    assert.match((await send(t, world, pack(held), { "content-encoding": encoding })).text, /BODY_TOO_LARGE/, encoding);
  const [wordy] = await signedStream(world, world.terminal, [[]]);
  assert.ok(wordy);
  const faults: [Uint8Array, string][] = [
    [new Uint8Array(), "CALL_MALFORMED"],
    [Uint8Array.of(0x5b, 0, 0, 0, 0, 0, 0, 0, 1, 0), "BODY_TOO_LARGE"],
    [Buffer.concat([Uint8Array.of(0x5a, 0, 0, 0, wordy.length), wordy]), "CALL_MALFORMED"],
    [encodeCbor("text"), "CALL_MALFORMED"],
    [sequence([wordy]).subarray(0, -1), "CALL_MALFORMED"],
    [encodeCbor(wordy.subarray(1)), "CALL_MALFORMED"],
  ];
  for (const [bytes, code] of faults) assert.match((await send(t, world, bytes)).text, new RegExp(code));
  const packed = await send(t, world, sequence([wordy]), { "content-encoding": "compress" });
  assert.match(packed.text, /CONTENT_ENCODING_UNSUPPORTED/);
  await assertSettledOnce(world, made);
});

test("a long journal in one portion shrinks far less than what is turned away", async (t) => {
  const world = await makeWorld(t);
  const made = await sales(world, 130);
  const bytes = sequence(await signedStream(world, world.terminal, [made.map(({ record }) => record)]));
  const packed = brotliCompressSync(bytes);
  assert.ok(bytes.length < 8 * packed.length, `${bytes.length} became ${packed.length}`);
  assert.ok(bytes.length > 65_536, "longer than what is taken whatever it was packed into");
  const { text } = await send(t, world, packed, { "content-encoding": "br" });
  assert.deepEqual(eventNames(text), ["received", "end"]);
  await assertSettledOnce(world, made);
});

test("one bad record never stops a stream, and the same portion again is the same answer", async (t) => {
  const world = await makeWorld(t);
  const made = await sales(world, 3);
  const poison = [Uint8Array.of(0x00), Buffer.from("820102", "hex"), made[0]?.record.slice(0, -1) ?? new Uint8Array()];
  const records = [...poison.slice(0, 2), ...made.map(({ record }) => record)];
  for (const attempt of ["first", "again"]) {
    const { portions } = await heard(
      streamUpload(streamOptions(world, world.terminal), each([records, made.map(({ record }) => record)])),
    );
    assert.deepEqual(
      portions.map((portion) => portion.records.map(({ state }) => state)),
      [["refused", "refused", "received", "received", "received"], Array(3).fill("received")],
      attempt,
    );
  }
  // What cannot even be told apart from what follows it ends the stream; what came before stays.
  const [good, bad] = await signedStream(world, world.terminal, [made.map(({ record }) => record), poison]);
  assert.ok(good && bad);
  const { text } = await send(t, world, sequence([good, bad]));
  assert.deepEqual(eventNames(text), ["received", "problem"]);
  assert.match(text, /CALL_MALFORMED/);
  await assertSettledOnce(world, made);
});

test("streams and calls of one terminal at once, with the same records in any order: each payment counts once", async (t) => {
  const world = await makeWorld(t);
  const made = await sales(world, 40);
  const shuffled = made.toSorted(() => Math.random() - 0.5);
  const streams = [made, shuffled, made.toReversed()].map((order) =>
    heard(streamUpload(streamOptions(world, world.terminal), each(inPortions(order, 7)), { inFlight: 3 })),
  );
  const calls = inPortions(shuffled, 9).map((records) => world.terminal.client.upload(records));
  for (const { portions } of await Promise.all(streams))
    assert.ok(portions.every(({ records }) => records.every(({ state }) => state === "received")));
  for (const { records } of await Promise.all(calls)) assert.ok(records.every(({ state }) => state === "received"));
  await assertSettledOnce(world, made);
});

test("whoever sends too slowly is cut off, byte by byte too, and whoever never reads takes no memory and nobody's turn", async (t) => {
  const world = await makeWorld(t, { arrivalTimeoutMs: 1_000 });
  const made = await sales(world, 4);
  const [first, second] = await signedStream(world, world.terminal, inPortions(made, 2));
  assert.ok(first && second);
  // A portion that comes byte by byte.
  const { call, answer } = open(t, world);
  call.write(encodeCbor(first));
  const come = await answer;
  const drip = setInterval(() => call.write(Uint8Array.of(0x58)), 50);
  t.after(() => clearInterval(drip));
  const text = await textOf(come);
  assert.deepEqual(eventNames(text), ["received", "problem"]);
  clearInterval(drip);
  // An ordinary call that comes byte by byte.
  const slow = connect(Number(new URL(world.issuer.url).port), "127.0.0.1");
  t.after(() => slow.destroy());
  slow.write(
    "POST /v1/uploads HTTP/1.1\r\nhost: x\r\ncontent-type: application/cbor-seq\r\ncontent-length: 1000\r\n\r\n",
  );
  const more = setInterval(() => slow.writable && slow.write("a"), 50);
  t.after(() => clearInterval(more));
  const said = await textOf(slow as unknown as IncomingMessage);
  assert.match(said, /^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
  clearInterval(more);
  // One that sends without end and never reads: others are served, and it is let go.
  const deaf = await flood(t, world);
  assert.equal((await world.terminal.client.upload([])).records.length, 0);
  await deaf.ended;
  assert.ok(deaf.sent() < 64 * 1_048_576, `took ${deaf.sent()} bytes of one who never reads`);
  await heard(streamUpload(streamOptions(world, world.terminal), each(inPortions(made, 2))));
  await assertSettledOnce(world, made);
});

test("blocked, full or stopping in the middle: what was acknowledged stays, and the rest is brought again", async (t) => {
  const world = await makeWorld(t, { inboxLimit: 100_000 });
  const made = await sales(world, 6);
  const [first = [], second = [], third = []] = inPortions(made, 2);
  const terminalId = terminalIdOf(world.terminal.signer.publicKey, crypto);
  async function* thenBlocked() {
    yield first;
    await world.operator.setTerminalStatus(terminalId, "frozen");
    yield second;
  }
  const blocked = streamUpload(streamOptions(world, world.terminal), thenBlocked());
  assert.equal((await blocked.next()).done, false);
  await assert.rejects(blocked.next(), { code: "CALLER_FROZEN" });
  await world.operator.setTerminalStatus(terminalId, "active");
  // Behind the last portion too: it takes no certificate and no lists home.
  const atTheEnd = Promise.withResolvers<void>();
  async function* thenTheEnd() {
    yield first;
    await atTheEnd.promise;
  }
  const ending = streamUpload(streamOptions(world, world.terminal), thenTheEnd());
  assert.equal((await ending.next()).done, false);
  await world.operator.setTerminalStatus(terminalId, "frozen");
  atTheEnd.resolve();
  await assert.rejects(ending.next(), { code: "CALLER_FROZEN" });
  await world.operator.setTerminalStatus(terminalId, "active");
  // The operator stops the server while a stream is open.
  const stopped = Promise.withResolvers<void>();
  async function* thenStopped() {
    yield second;
    await stopped.promise;
    yield third;
  }
  const cut = streamUpload(streamOptions(world, world.terminal), thenStopped());
  assert.equal((await cut.next()).done, false);
  const rest = cut.next();
  const restarting = world.restart();
  await assert.rejects(rest, { code: "SHUTTING_DOWN" });
  stopped.resolve();
  const again = { ...world, ...(await restarting) };
  const terminal = world.terminal;
  const { end } = await heard(streamUpload(streamOptions(again, terminal), each([second, third])));
  assert.equal(end.portions, 2);
  const client = new IssuerClient(streamOptions(again, terminal));
  const { payments } = await eventually(async () => {
    const told = await client.outcomes(made.map(({ paymentId }) => paymentId));
    return told.payments.every(({ state }) => state === "settled") && told;
  });
  assert.equal(payments.length, 6);
  assert.equal((await again.operator.account(world.account)).balanceMinor, 2_994n);
});

test("a full inbox stops a stream with a code, and the journal's own failure is not taken for the network's", async (t) => {
  const world = await makeWorld(t, { inboxLimit: 3 });
  const made = await sales(world, 6);
  const portions = inPortions(made, 6);
  await assert.rejects(heard(streamUpload(streamOptions(world, world.terminal), each(portions))), {
    code: "INBOX_FULL",
  });
  async function* broken(): AsyncGenerator<Uint8Array[]> {
    yield [];
    throw new RangeError("the journal's disk is gone");
  }
  await assert.rejects(heard(streamUpload(streamOptions(world, world.terminal), broken())), RangeError);
});

/** A valid stream that goes on and on, of one who never reads an answer. */
async function flood(t: TestContext, world: World) {
  const { hostname, port } = new URL(world.issuer.url);
  const socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  socket.pause();
  socket.on("error", () => undefined);
  let sent = 0;
  let nonce = await world.terminal.client.nonce();
  const callerId = terminalIdOf(world.terminal.signer.publicKey, crypto);
  socket.write(
    `POST /v1/uploads/stream HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/cbor-seq\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  async function run(): Promise<void> {
    while (!socket.destroyed && socket.writable) {
      // A thousand bad records make the longest answers.
      const about = { callerId, nonce, content: new Uint8Array(1_000), issuedAt: world.clock.now };
      const body = await writeSignedCall("upload", about, { signer: world.terminal.signer, crypto });
      nonce = followingNonce(readSignedCall("upload", body, crypto).envelope.messageId);
      const item = encodeCbor(body);
      sent += item.length;
      const isTaken = socket.write(
        Buffer.concat([Buffer.from(`${item.length.toString(16)}\r\n`), item, Buffer.from("\r\n")]),
      );
      if (!isTaken) await new Promise<void>((resolve) => void socket.once("drain", resolve).once("close", resolve));
    }
  }
  const ended = new Promise<void>((resolve) => void socket.once("close", resolve));
  void run();
  return { ended, sent: () => sent };
}
