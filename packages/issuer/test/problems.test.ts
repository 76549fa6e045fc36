import assert from "node:assert/strict";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import { generateNodeSigner } from "@cairn/cose/node";
import {
  type CallPurpose,
  currency,
  deviceIdOf,
  MAXIMUM_BODY_BYTES,
  type MessageId,
  writeSignedCall,
} from "@cairn/messages";
import { Value } from "@sinclair/typebox/value";
import { Problem } from "../src/api/device-api.ts";
import { answerBrokenConnection, type BareConnection } from "../src/http/broken-connection.ts";
import { PROBLEMS, type ProblemCode, problemDocument } from "../src/http/problems.ts";
import { eventually, startTestIssuer } from "./support/issuer.ts";
import { storeWith } from "./support/store.ts";
import { crypto } from "./support/values.ts";
import { TestWallet } from "./support/wallet.ts";
import { KIOSK, makeWorld, type World } from "./support/world.ts";

const CBOR = "application/cbor-seq";
const UNKNOWN_ID = { device: "00".repeat(8), certificate: "00".repeat(16), payment: "00".repeat(32) };

function post(world: World, path: string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
  const init = { method: "POST", body: new Uint8Array(body), headers: { "content-type": CBOR, ...headers } };
  return fetch(world.issuer.url + path, init);
}

function operate(world: World, method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${world.issuer.url}/v1/operator${path}`, {
    method,
    headers: { authorization: `Bearer ${world.issuer.operatorToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** Online money out of the world's account. */
const move = (world: World, what: string, order: object): Promise<Response> =>
  operate(world, "POST", `/accounts/${world.account}/${what}`, { idempotencyKey: "k", ...order });

const IBAN = "DE89370400440532013000";
const TERMS = {
  holder: "Kiosk",
  iban: IBAN,
  feeBasisPoints: 0,
  feeFixedMinor: "0",
  feeMinimumMinor: "0",
  feeMaximumMinor: null,
};
const EXPORT = { format: "csv", debtorName: "Bank", debtorIban: IBAN, executionDate: "2026-12-01" };

/** A payout batch B that pays the kiosk 5 cents. */
async function makeBatch(world: World): Promise<void> {
  await move(world, "payments", { amountMinor: "5", payeeId: KIOSK });
  await operate(world, "PUT", `/payees/${KIOSK}/terms`, TERMS);
  await operate(world, "POST", "/payout-batches", { batchId: "B", currency: "EUR" });
}

/** A payment of 5.00: known from the payer alone, or uploaded and settled. */
async function pay(
  { wallet, terminal, operator, clock }: World,
  state: "pending" | "settled" | "held",
): Promise<MessageId> {
  await wallet.sync();
  const request = await terminal.request(500n);
  const payment = await wallet.pay(request);
  const record = terminal.record(request, wallet.held(), payment);
  if (state === "held") clock.now += 90 * 86_400;
  if (state !== "pending") await terminal.client.upload([record]);
  else await wallet.client.sync({ records: [wallet.record(payment, { request })] });
  await eventually(
    async () => (await operator.evidence(payment.messageId).catch(() => undefined))?.payment?.state === state,
  );
  return payment.messageId;
}

const review = (world: World, paymentId: MessageId, decision: string): Promise<Response> =>
  operate(world, "POST", `/payments/${paymentId}/review`, { decision, reason: "seen" });

const giveBack = (world: World, paymentId: MessageId, amountMinor: string): Promise<Response> =>
  operate(world, "POST", `/payments/${paymentId}/refunds`, { amountMinor, idempotencyKey: "k" });

/** A call as the wallet makes it; `signer` may be another's. */
async function signed(
  wallet: Pick<TestWallet, "signer" | "client">,
  purpose: CallPurpose,
  content: Uint8Array = new Uint8Array(),
  signer = wallet.signer,
): Promise<Uint8Array> {
  const callerId = deviceIdOf(wallet.signer.publicKey, crypto);
  const call = { callerId, nonce: await wallet.client.nonce(), content, issuedAt: 1 };
  return writeSignedCall(purpose, call, { signer, crypto });
}

async function enrol(world: World, code: string, wallet = new TestWallet(world)): Promise<Response> {
  const content = encodeCbor([code, publicKeyToCbor(wallet.signer.publicKey), 0, "phone"]);
  return post(world, "/v1/enrolments/device", await signed(wallet, "enrolment", content));
}

/** One way to meet each problem that a running server answers with. The compiler sees to it that none is left out. */
type Elsewhere =
  | "PUSH_FULL"
  | "TRUST_LIST_MISSING"
  | "REQUEST_TIMEOUT"
  | "SHUTTING_DOWN"
  | "NOT_READY"
  | "STORE_UNAVAILABLE"
  | "BACKUP_ELSEWHERE"
  | "RECEIVING_OFF"
  | "RECEIVING_KEYS_FULL"
  | "TILL_REFUNDS_OFF"
  | "INTERNAL_FAULT";
const WAYS: { readonly [Code in Exclude<ProblemCode, Elsewhere>]: (world: World) => Promise<Response> } = {
  CALL_MALFORMED: (world) => post(world, "/v1/sync", Uint8Array.of(0xff)),
  NONCE_INVALID: async (world) => {
    const body = await signed(world.wallet, "sync");
    assert.equal((await post(world, "/v1/sync", body)).status, 200);
    return post(world, "/v1/sync", body);
  },
  CALLER_UNKNOWN: async (world) => post(world, "/v1/sync", await signed(new TestWallet(world), "sync")),
  CALLER_FROZEN: async (world) => {
    await world.operator.setDeviceStatus(deviceIdOf(world.wallet.signer.publicKey, crypto), "frozen");
    return post(world, "/v1/sync", await signed(world.wallet, "sync"));
  },
  CALL_SIGNATURE_INVALID: async (world) =>
    post(world, "/v1/sync", await signed(world.wallet, "sync", new Uint8Array(), generateNodeSigner())),
  ENROLMENT_CODE_INVALID: (world) => enrol(world, "00000-00000"),
  ENROLMENT_CODE_USED: async (world) => {
    const { code } = await world.operator.createDeviceCode(world.account);
    assert.equal((await enrol(world, code)).status, 200);
    return enrol(world, code);
  },
  ENROLMENT_CODE_EXPIRED: async (world) => {
    const { code } = await world.operator.createDeviceCode(world.account, { validitySeconds: 60 });
    world.clock.now += 61;
    return enrol(world, code);
  },
  KEY_ALREADY_ENROLLED: async (world) =>
    enrol(world, (await world.operator.createDeviceCode(world.account)).code, world.wallet),
  TOO_MANY_ATTEMPTS: async (world) => {
    for (let attempt = 0; attempt < 3; attempt++) assert.equal((await enrol(world, "00000-00000")).status, 403);
    return enrol(world, (await world.operator.createDeviceCode(world.account)).code);
  },
  INBOX_FULL: async (world) => {
    const records = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
    const upload = async (bytes: readonly Uint8Array[]) =>
      post(world, "/v1/uploads", await signed(world.terminal, "upload", Buffer.concat(bytes)));
    assert.equal((await upload(records.slice(1))).status, 202, "what fits is taken");
    const answer = await upload(records);
    assert.equal(answer.headers.get("retry-after"), "30");
    return answer;
  },
  ACCOUNT_UNKNOWN: (world) => operate(world, "GET", "/accounts/999999999999"),
  PAYEE_UNKNOWN: (world) => operate(world, "GET", "/payees/NOBODY"),
  PAYEE_EXISTS: (world) => operate(world, "POST", "/payees", { payeeId: KIOSK, name: "Again", currency: "EUR" }),
  DEVICE_UNKNOWN: (world) => operate(world, "GET", `/devices/${UNKNOWN_ID.device}`),
  TERMINAL_UNKNOWN: (world) => operate(world, "PUT", `/terminals/${UNKNOWN_ID.device}/status`, { status: "frozen" }),
  CERTIFICATE_UNKNOWN: (world) =>
    operate(world, "POST", `/certificates/${UNKNOWN_ID.certificate}/revocation`, { reason: "lost" }),
  POLICY_INVALID: (world) =>
    operate(world, "POST", `/accounts/${world.account}/explanation`, { policy: { limit: { floorMinor: 5 } } }),
  CERTIFICATE_IN_CONFLICT: async (world) => {
    await world.wallet.sync();
    const { certificateId } = world.wallet.held().content;
    const records = [
      await world.wallet.closingRecord(),
      await world.wallet.closingRecord({ sequence: 1, spentMinor: 1n }),
    ];
    await world.wallet.client.sync({ records });
    return operate(world, "POST", `/certificates/${certificateId}/restoration`, {});
  },
  PAYMENT_UNKNOWN: (world) => operate(world, "GET", `/payments/${UNKNOWN_ID.payment}/evidence`),
  AMOUNT_OUT_OF_RANGE: (world) =>
    operate(world, "POST", `/accounts/${world.account}/top-ups`, { amountMinor: "0", idempotencyKey: "zero" }),
  OFFLINE_TIME_TOO_SHORT: (world) =>
    operate(world, "POST", "/payees", { payeeId: "SHORT", name: "Short", currency: "EUR", maximumOfflineSeconds: 600 }),
  IDEMPOTENCY_KEY_REUSED: (world) =>
    operate(world, "POST", `/accounts/${world.account}/top-ups`, { amountMinor: "1", idempotencyKey: "first" }),
  ACCOUNT_FROZEN: async (world) => {
    await world.operator.setAccountStatus(world.account, "frozen");
    return move(world, "withdrawals", { amountMinor: "1" });
  },
  CURRENCY_DIFFERS: async (world) => {
    const { account } = await world.operator.createAccount({ name: "Yui", currency: currency("JPY") });
    return move(world, "transfers", { amountMinor: "1", to: account });
  },
  FUNDS_INSUFFICIENT: (world) => move(world, "withdrawals", { amountMinor: "9007199254740991" }),
  IBAN_INVALID: (world) =>
    operate(world, "PUT", `/payees/${KIOSK}/terms`, { ...TERMS, iban: "DE00370400440532013000" }),
  NOTHING_TO_PAY: (world) => operate(world, "POST", "/payout-batches", { batchId: "B", currency: "EUR" }),
  PAYOUT_BATCH_UNKNOWN: (world) => operate(world, "GET", "/payout-batches/NONE"),
  PAYOUT_UNKNOWN: async (world) => {
    await makeBatch(world);
    await operate(world, "POST", "/payout-batches/B/export", EXPORT);
    return operate(world, "POST", "/payout-batches/B/payouts/OTHER", { state: "paid", reason: null });
  },
  PAYOUT_NOT_EXPORTED: async (world) => {
    await makeBatch(world);
    return operate(world, "POST", `/payout-batches/B/payouts/${KIOSK}`, { state: "paid", reason: null });
  },
  PAYOUT_DECIDED: async (world) => {
    await makeBatch(world);
    await operate(world, "POST", "/payout-batches/B/export", EXPORT);
    await operate(world, "POST", `/payout-batches/B/payouts/${KIOSK}`, { state: "paid", reason: null });
    return operate(world, "POST", `/payout-batches/B/payouts/${KIOSK}`, { state: "returned", reason: null });
  },
  PAYMENT_NOT_SETTLED: async (world) => giveBack(world, await pay(world, "pending"), "1"),
  REFUND_EXCEEDS_PAYMENT: async (world) => giveBack(world, await pay(world, "settled"), "501"),
  PAYEE_FUNDS_INSUFFICIENT: async (world) => {
    const paymentId = await pay(world, "settled");
    await operate(world, "PUT", `/payees/${KIOSK}/terms`, TERMS);
    await operate(world, "POST", "/payout-batches", { batchId: "B", currency: "EUR" });
    return giveBack(world, paymentId, "500");
  },
  PAYMENT_NOT_HELD: async (world) => review(world, await pay(world, "settled"), "release"),
  REVIEW_DECIDED: async (world) => {
    const paymentId = await pay(world, "held");
    assert.equal((await review(world, paymentId, "reject")).status, 200);
    return review(world, paymentId, "release");
  },
  SAME_ACCOUNT: (world) => move(world, "transfers", { amountMinor: "1", to: world.account }),
  KEY_UNKNOWN: (world) => operate(world, "POST", "/keys/00000000/withdrawal", {}),
  TRUST_LIST_REFUSED: (world) => operate(world, "PUT", "/trust-list", { trustList: "AA" }),
  INPUT_INVALID: (world) => operate(world, "POST", "/accounts", { name: "Bob", currency: "EUR", more: 1 }),
  BODY_TOO_LARGE: (world) => post(world, "/v1/uploads", new Uint8Array(MAXIMUM_BODY_BYTES + 1)),
  BODY_ENCODING_INVALID: (world) => post(world, "/v1/uploads", Uint8Array.of(1, 2), { "content-encoding": "gzip" }),
  CONTENT_TYPE_UNSUPPORTED: (world) => post(world, "/v1/uploads", Uint8Array.of(1), { "content-type": "text/plain" }),
  CONTENT_ENCODING_UNSUPPORTED: (world) =>
    post(world, "/v1/uploads", Uint8Array.of(1), { "content-encoding": "compress" }),
  HTTP_MALFORMED: (world) => fetch(`${world.issuer.url}/v1/%ff`),
  HEADER_TOO_LARGE: (world) => fetch(`${world.issuer.url}/health`, { headers: { cookie: "a".repeat(20_000) } }),
  ROUTE_UNKNOWN: (world) => fetch(`${world.issuer.url}/v1/nothing`),
  OPERATOR_TOKEN_INVALID: (world) => fetch(`${world.issuer.url}/v1/operator/accounts`),
};

async function assertProblem(response: Response, code: ProblemCode): Promise<void> {
  const body = await response.text();
  assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/, body);
  const { detail, ...document } = JSON.parse(body);
  const { detail: _none, ...expected } = problemDocument(code);
  assert.deepEqual(document, expected);
  assert.equal(response.status, PROBLEMS[code].status);
  assert.doesNotMatch(body, /\.ts|node_modules|\n\s+at /, "no stack trace leaves");
  assert.ok(detail === undefined || typeof detail === "string");
}

test("every problem of a running server has a stable code, a status and a sentence", async (t) => {
  for (const [code, meet] of Object.entries(WAYS) as [keyof typeof WAYS, (world: World) => Promise<Response>][]) {
    await t.test(code, async (t) => {
      const enrolmentAttempts = { perAddressPerMinute: 3, overallPerMinute: 9 };
      const world = await makeWorld(t, { enrolmentAttempts, inboxLimit: 2 });
      await assertProblem(await meet(world), code);
    });
  }
});

test("a fault of ours is told as one, without a word of what it was", async (t) => {
  const store = storeWith(() => ({
    payees: async () => [],
    conflicts: () => Promise.reject(new Error("disk on fire")),
  }));
  const at = await startTestIssuer(t, { store });
  const response = await fetch(`${at.issuer.url}/v1/operator/conflicts`, {
    headers: { authorization: `Bearer ${at.issuer.operatorToken}` },
  });
  await assertProblem(response, "INTERNAL_FAULT");
  assert.match(at.logged.join(""), /disk on fire/, "the operator's log says it");
});

test("a server whose settlement fails says that it is not ready, and is alive", async (t) => {
  const at = await startTestIssuer(t, {
    store: storeWith(() => ({ takeBatch: () => Promise.reject(new Error("gone")) })),
  });
  const response = await eventually(async () => {
    const ready = await fetch(`${at.issuer.url}/ready`);
    return ready.status !== 200 && ready;
  });
  await assertProblem(response, "NOT_READY");
  assert.equal((await fetch(`${at.issuer.url}/health`)).status, 200);
});

test("what is not HTTP, and what comes too slowly, is answered on the bare connection", async (t) => {
  const world = await makeWorld(t);
  const { port } = new URL(world.issuer.url);
  const socket = connect(Number(port), "127.0.0.1");
  socket.end("BLAH\r\n\r\n");
  const answer = await text(socket);
  assert.match(answer, /^HTTP\/1\.1 400 /);
  assert.deepEqual(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))), problemDocument("HTTP_MALFORMED"));
  const ended: string[] = [];
  let destroyed = 0;
  const fake = (writable: boolean): BareConnection => ({
    writable,
    end: (sent) => ended.push(sent),
    destroy: () => destroyed++,
  });
  answerBrokenConnection(Object.assign(new Error(), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), fake(true));
  assert.match(ended[0] ?? "", /^HTTP\/1\.1 408 .*REQUEST_TIMEOUT/s);
  answerBrokenConnection(Object.assign(new Error(), { code: "ECONNRESET" }), fake(true));
  answerBrokenConnection(new Error(), fake(false));
  assert.deepEqual([ended.length, destroyed], [1, 2]);
});

test("two messages in one, a second length, and lines that no header has, get one answer and a closed connection", async (t) => {
  const world = await makeWorld(t);
  const { port } = new URL(world.issuer.url);
  const behind = "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
  const call = (...headers: string[]) => ["POST /v1/sync HTTP/1.1", "host: x", `content-type: ${CBOR}`, ...headers];
  for (const lines of [
    [...call("content-length: 4", "transfer-encoding: chunked"), "", "0", "", behind],
    [...call("transfer-encoding: chunked", "content-length: 4"), "", "0", "", behind],
    [...call("transfer-encoding: identity, chunked, gzip"), "", "0", "", behind],
    [...call("content-length: 0", "content-length: 60"), "", behind],
    [...call("content-length: +0"), "", behind],
    [...call("a: b", " folded: yes", "content-length: 0"), "", behind],
    [...call("content-length : 0"), "", behind],
    [...call("a: b\rc: d", "content-length: 0"), "", behind],
    [...call("transfer-encoding: chunked"), "", `1;${"x".repeat(20_000)}`, "a", "0", "", behind],
  ]) {
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(lines.join("\r\n"));
    const answer = await text(socket);
    const header = lines.slice(3).join(" | ");
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/, header);
    assert.equal(answer.split("HTTP/1.1 ").length, 2, `${header}: what is behind it is no call`);
    assert.deepEqual(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n"))), problemDocument("HTTP_MALFORMED"));
  }
});

test("compressed bodies are taken, and a bomb is stopped at the largest body that a call may have", async (t) => {
  const world = await makeWorld(t);
  const zeros = new Uint8Array(100 * MAXIMUM_BODY_BYTES);
  for (const [encoding, pack] of Object.entries({
    gzip: gzipSync,
    deflate: deflateSync,
    br: (bytes: Uint8Array) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
    zstd: zstdCompressSync,
  })) {
    const headers = { "content-encoding": encoding };
    const body = pack(await signed(world.wallet, "sync"));
    assert.equal((await post(world, "/v1/sync", body, headers)).status, 200, encoding);
    await assertProblem(await post(world, "/v1/sync", body.subarray(0, -9), headers), "BODY_ENCODING_INVALID");
    const bomb = pack(zeros);
    assert.ok(bomb.length < MAXIMUM_BODY_BYTES);
    await assertProblem(await post(world, "/v1/sync", bomb, headers), "BODY_TOO_LARGE");
  }
});

test("a signed call is good for one route, one body and one caller", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal } = world;
  const upload = await signed(wallet, "upload");
  await assertProblem(await post(world, "/v1/sync", upload), "CALL_SIGNATURE_INVALID");
  await assertProblem(await post(world, "/v1/uploads", upload), "CALLER_UNKNOWN");
  const outcomes = await signed(wallet, "outcomes", encodeCbor([]));
  assert.equal((await post(world, "/v1/outcomes", outcomes)).status, 200);
  const cut = (await signed(wallet, "sync", Uint8Array.of(0x01))).slice(0, -1);
  await assertProblem(await post(world, "/v1/sync", cut), "CALL_MALFORMED");
  await assertProblem(await post(world, "/v1/sync", new Uint8Array()), "CALL_MALFORMED");
  const stale = await signed(wallet, "sync");
  world.clock.now += 3_600;
  await assertProblem(await post(world, "/v1/sync", stale), "NONCE_INVALID");
  await assertProblem(
    await post(world, "/v1/sync", await signed(Object.assign(new TestWallet(world), terminal), "sync")),
    "CALLER_UNKNOWN",
  );
});

test("a nonce that was used stays used when the clock jumps ahead and is set right again", async (t) => {
  let passedMs = 0;
  const world = await makeWorld(t, { monotonicMs: () => passedMs, housekeepingIntervalMs: 3_600_000 });
  const pass = (seconds: number): void => {
    passedMs += seconds * 1_000;
    world.clock.now += seconds;
  };
  for (const passedSeconds of [0, 2 * 3_600]) {
    pass(passedSeconds);
    const used = await signed(world.wallet, "sync");
    assert.equal((await post(world, "/v1/sync", used)).status, 200);
    world.clock.now += 86_400;
    assert.equal((await post(world, "/v1/sync", await signed(world.wallet, "sync"))).status, 200);
    world.clock.now -= 86_400;
    await assertProblem(await post(world, "/v1/sync", used), "NONCE_INVALID");
  }
});

test("malformed contents are turned away whole, with the reason as the detail", async (t) => {
  const world = await makeWorld(t);
  const { wallet } = world;
  const contents: [string, CallPurpose, Uint8Array, string][] = [
    ["/v1/outcomes", "outcomes", encodeCbor([new Uint8Array(31)]), "MESSAGE_FIELD_INVALID"],
    ["/v1/outcomes", "outcomes", encodeCbor(7), "BUNDLE_MALFORMED"],
    ["/v1/outcomes", "outcomes", encodeCbor(Array.from({ length: 1_001 }, () => 0)), "MESSAGE_TOO_LARGE"],
    ["/v1/sync", "sync", Uint8Array.of(0x18, 0x01), "CBOR_NON_MINIMAL"],
    ["/v1/sync", "sync", new Uint8Array(1_001).fill(1), "MESSAGE_TOO_LARGE"],
    ["/v1/enrolments/device", "enrolment", encodeCbor(["x"]), "BUNDLE_MALFORMED"],
    ["/v1/enrolments/device", "enrolment", encodeCbor(["x", 1, 0, "a"]), "COSE_KEY_INVALID"],
  ];
  const key = publicKeyToCbor(wallet.signer.publicKey);
  for (const [index, wrong] of [
    [1, key, 0, "a"],
    ["x", key, 4, "a"],
    ["x", key, 0, "a\nb"],
    ["x", key, 0, ""],
  ].entries())
    contents.push([
      "/v1/enrolments/device",
      "enrolment",
      encodeCbor(wrong),
      `MESSAGE_FIELD_INVALID${index}`.slice(0, 21),
    ]);
  for (const [path, purpose, content, reason] of contents) {
    const response = await post(world, path, await signed(wallet, purpose, content));
    const problem = Value.Decode(Problem, await response.json());
    assert.deepEqual([problem.code, problem.detail], ["CALL_MALFORMED", reason]);
  }
});

test("guessing of enrolment codes is stopped, and a minute later people can enrol again", async (t) => {
  const world = await makeWorld(t, { enrolmentAttempts: { perAddressPerMinute: 3, overallPerMinute: 9 } });
  const guesses = await Promise.all(Array.from({ length: 8 }, () => enrol(world, "00000-00000")));
  assert.equal(guesses.filter(({ status }) => status === 403).length, 3, "at the same moment too");
  const stopped = guesses.find(({ status }) => status === 429);
  assert.ok(Number(stopped?.headers.get("retry-after")) > 0);
  const { code } = await world.operator.createDeviceCode(world.account);
  world.clock.now += 60;
  assert.equal((await enrol(world, code)).status, 200);
});

test("a class of phones behind one address enrols at one moment, with right codes", async (t) => {
  const world = await makeWorld(t, { enrolmentAttempts: { perAddressPerMinute: 3, overallPerMinute: 9 } });
  const codes = await Promise.all(Array.from({ length: 25 }, () => world.operator.createDeviceCode(world.account)));
  const enrolled = await Promise.all(codes.map(({ code }) => enrol(world, code)));
  assert.deepEqual([...new Set(enrolled.map(({ status }) => status))], [200]);
});

test("whoever guesses too much makes the server write nothing: not even the nonce is used", async (t) => {
  const world = await makeWorld(t, { enrolmentAttempts: { perAddressPerMinute: 3, overallPerMinute: 9 } });
  for (let attempt = 0; attempt < 3; attempt++) assert.equal((await enrol(world, "00000-00000")).status, 403);
  const { code } = await world.operator.createDeviceCode(world.account);
  const wallet = new TestWallet(world);
  const content = encodeCbor([code, publicKeyToCbor(wallet.signer.publicKey), 0, "phone"]);
  const body = await signed(wallet, "enrolment", content);
  const again = () => post(world, "/v1/enrolments/device", body);
  await assertProblem(await again(), "TOO_MANY_ATTEMPTS");
  const forged = Uint8Array.from(body);
  forged.set([1, 2, 3], body.length - content.length - 3);
  await assertProblem(await post(world, "/v1/enrolments/device", forged), "TOO_MANY_ATTEMPTS");
  world.clock.now += 60;
  assert.equal((await again()).status, 200, "the very same call is looked at, and good, a minute later");
});
