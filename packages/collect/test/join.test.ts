import assert from "node:assert/strict";
import { test } from "node:test";
import type { GuestEnrolment, UploadAnswer } from "@cairn/collect";
import { generateNodeSigner } from "@cairn/cose/node";
import { currency, type IssuerId, KEY_USE, type PayeeId, type TrustList } from "@cairn/messages";
import { chargeFor, codeOf, DAY, type Issuer, makeIssuer, makePayer, makeTerminal, NOW } from "./world.ts";

/** One trust list, three issuers: the terminal's own, and two that it may join. */
const home = makeIssuer();
const guest = makeIssuer();
const third = makeIssuer();
const GUEST = "guest" as IssuerId;
const THIRD = "third" as IssuerId;

type Key = TrustList["keys"][number];
const keyOf = (issuer: Issuer, issuerId: string, changes: Partial<Key> = {}): Key => ({
  issuerId: issuerId as IssuerId,
  issuerName: `Bank ${issuerId}`,
  issuerUrl: `https://${issuerId}.example`,
  key: issuer.issuing.publicKey,
  validFrom: NOW - 100 * DAY,
  validUntil: NOW + 100 * DAY,
  uses: KEY_USE.userCertificates | KEY_USE.payeeCertificates | KEY_USE.statusLists,
  ...changes,
});
const KEYS = [keyOf(home, "home"), keyOf(guest, "guest"), keyOf(third, "third")];
const listOf = (changes: Partial<TrustList> = {}) => home.signTrustList({ keys: KEYS, ...changes });
const makeHome = () => makeTerminal(home, { trustList: { keys: KEYS } });
type World = Awaited<ReturnType<typeof makeHome>>;

/** What the guest's server answers to this terminal's enrolment. */
async function offerOf({ signer }: World, changes: Partial<GuestEnrolment> = {}): Promise<GuestEnrolment> {
  return {
    issuerId: GUEST,
    url: "https://guest.example",
    rootKey: home.rootKey,
    trustList: await listOf(),
    statusList: await guest.signStatusList(),
    payeeCertificate: (await guest.signPayee(signer)).bytes,
    ...changes,
  };
}

/** What a terminal makes of a payment by a payer of this issuer. */
async function payOf(issuer: Issuer, { terminal }: World, changes: Parameters<Issuer["signUser"]>[1] = {}) {
  const payer = await makePayer(issuer, changes);
  const { codeText } = await payer.pay((await chargeFor(terminal, 100n)).codeText);
  return terminal.accept(codeText);
}

test("an issuer's payers are taken once it is joined, and uploaded to it alone", async () => {
  const world = await makeHome();
  const { terminal } = world;
  const before = await payOf(guest, world);
  assert.ok(before.kind === "refused");
  assert.deepEqual([before.refusal.code, before.refusal.detail], ["ISSUER_UNKNOWN", "guest was not joined"]);
  assert.deepEqual(await terminal.join(await offerOf(world)), { kind: "joined", issuerId: GUEST });
  assert.equal(codeOf(await payOf(guest, world)), "accepted");
  assert.equal(codeOf(await payOf(home, world)), "accepted");
  assert.equal(codeOf(await payOf(third, world)), "ISSUER_UNKNOWN");
  const own = await terminal.buildUpload({ limit: 10 });
  const guests = await terminal.buildUpload({ limit: 10, guestIssuerId: GUEST });
  assert.deepEqual([own.items.length, own.guestIssuerId], [1, undefined]);
  assert.deepEqual([guests.items.length, guests.guestIssuerId], [1, GUEST]);
  assert.notDeepEqual(own.items, guests.items);
  // Own issuer first. What it acknowledged is exported until it is settled.
  const [item] = own.items;
  assert.ok(item?.kind === "payment");
  const answer = { index: 0, paymentId: item.paymentId, state: "received", code: null, sentence: null } as const;
  await terminal.applyReceipts(own, [answer]);
  assert.deepEqual(await terminal.exportRecords(), [...own.records, ...guests.records]);
});

test("says of each issuer where its uploads go and how old its list is", async () => {
  const world = await makeHome();
  const { terminal, clock } = world;
  await terminal.join(await offerOf(world, { statusList: await guest.signStatusList({ issuedAt: NOW - 7_200 }) }));
  clock.at = NOW + DAY - 3_600;
  const own = {
    issuerId: "home",
    url: undefined,
    guestIssuerId: undefined,
    name: "Bank home",
    isTrusted: true,
    statusListAgeSeconds: DAY,
    isStatusListStale: false,
  };
  const joined = {
    issuerId: GUEST,
    url: "https://guest.example",
    guestIssuerId: GUEST,
    name: "Bank guest",
    isTrusted: true,
    statusListAgeSeconds: DAY + 3_600,
    isStatusListStale: true,
  };
  assert.deepEqual(await terminal.issuers(), [own, joined]);
  assert.equal(codeOf(await payOf(guest, world)), "STATUS_LIST_STALE");
  assert.equal(codeOf(await payOf(home, world, { expiresAt: NOW + 2 * DAY })), "accepted");
  const without = await listOf({ version: 2, keys: KEYS.slice(0, 1) });
  assert.deepEqual(await terminal.applyLists({ ...world.enrolment, trustList: without }), []);
  const [, dropped] = await terminal.issuers();
  assert.deepEqual([dropped?.name, dropped?.isTrusted], [GUEST, false]);
});

test("each issuer's own list says which of its certificates are withdrawn", async () => {
  const world = await makeHome();
  await world.terminal.join(await offerOf(world, { statusList: await guest.signStatusList({}, [7]) }));
  assert.equal(codeOf(await payOf(guest, world, { terms: { statusIndex: 7 } })), "CERTIFICATE_REVOKED");
  assert.equal(codeOf(await payOf(guest, world, { terms: { statusIndex: 8 } })), "accepted");
  assert.equal(codeOf(await payOf(home, world, { terms: { statusIndex: 7 } })), "accepted");
  const openOf = async (by: Issuer) =>
    world.terminal.acceptOpen((await (await makePayer(by, { terms: { statusIndex: 7 } })).payOpen(50n)).codeText);
  assert.equal(codeOf(await openOf(guest)), "CERTIFICATE_REVOKED");
  assert.equal(codeOf(await openOf(home)), "accepted");
});

test("each issuer is asked about its own payers' payments", async () => {
  const world = await makeHome();
  const { terminal } = world;
  await terminal.join(await offerOf(world));
  for (const by of [home, guest]) assert.equal(codeOf(await payOf(by, world)), "accepted");
  for (const guestIssuerId of [undefined, GUEST]) {
    const upload = await terminal.buildUpload({ limit: 9, guestIssuerId });
    const [item] = upload.items;
    assert.ok(item?.kind === "payment");
    const { paymentId } = item;
    assert.deepEqual(await terminal.paymentsToAsk(9, guestIssuerId), []);
    await terminal.applyReceipts(upload, [{ index: 0, paymentId, state: "received", code: null, sentence: null }]);
    assert.deepEqual(await terminal.paymentsToAsk(9, guestIssuerId), [paymentId]);
  }
});

test("refuses, and stores nothing of, an issuer that does not fit", async () => {
  const world = await makeHome();
  const { terminal, signer, journal } = world;
  const payeeOf = async (changes: Parameters<Issuer["signPayee"]>[1], by = guest, key = signer) => ({
    payeeCertificate: (await by.signPayee(key, changes)).bytes,
  });
  const cases: [Partial<GuestEnrolment>, string, string?][] = [
    [{ issuerId: "no such id!" }, "ISSUER_UNKNOWN", "not an issuer's id"],
    [{ issuerId: "home" }, "ISSUER_UNKNOWN", "it is this terminal's own issuer"],
    [{ issuerId: "third" }, "ISSUER_UNKNOWN"],
    [{ trustList: new Uint8Array(3) }, "CBOR_TRAILING_BYTES"],
    [{ trustList: await listOf({ version: 2, expiresAt: NOW - 301 }) }, "TRUST_LIST_EXPIRED"],
    [{ statusList: await home.signStatusList() }, "ISSUER_UNKNOWN"],
    [{ statusList: await guest.signStatusList({ expiresAt: NOW - 1 }) }, "STATUS_LIST_STALE"],
    [await payeeOf({}, home), "ISSUER_UNKNOWN"],
    [await payeeOf({}, guest, generateNodeSigner()), "PAYEE_CERTIFICATE_MISMATCH", "for another terminal"],
    [await payeeOf({ payeeId: "OTHER" as PayeeId }), "PAYEE_CERTIFICATE_MISMATCH", "for another payee"],
    [await payeeOf({ terms: { currency: currency("USD") } }), "CURRENCY_MISMATCH", "another currency"],
    [await payeeOf({ expiresAt: NOW - 1 }), "PAYEE_CERTIFICATE_EXPIRED"],
  ];
  const { setupRevision } = await journal.marks();
  for (const [change, code, detail] of cases) {
    const outcome = await terminal.join(await offerOf(world, change));
    assert.ok(outcome.kind === "refused", code);
    assert.equal(outcome.refusal.code, code);
    if (detail !== undefined) assert.equal(outcome.refusal.detail, detail);
    assert.equal((await journal.marks()).setupRevision, setupRevision);
  }
  for (const rootKey of [makeIssuer().rootKey, new Uint8Array(3)])
    await assert.rejects(terminal.join(await offerOf(world, { rootKey })), {
      code: "ROOT_KEY_DIFFERS",
      message: /root key/,
    });
});

test("a guest's server may lag behind with the common list, and may bring a newer one", async () => {
  const world = await makeTerminal(home, { trustList: { keys: KEYS, version: 5 } });
  const { terminal } = world;
  assert.equal(
    codeOf(await terminal.join(await offerOf(world, { trustList: await listOf({ version: 4 }) }))),
    "joined",
  );
  assert.equal((await terminal.standing()).trustListExpiresAt, NOW + 30 * DAY);
  const newer = await listOf({ version: 6, expiresAt: NOW + 60 * DAY });
  assert.equal(codeOf(await terminal.join(await offerOf(world, { trustList: newer }))), "joined");
  assert.equal((await terminal.standing()).trustListExpiresAt, NOW + 60 * DAY);
});

test("joining again takes the new address and the newer list, and leaves the others alone", async () => {
  const world = await makeHome();
  const { terminal, signer } = world;
  const other = {
    issuerId: THIRD,
    url: "https://third.example",
    statusList: await third.signStatusList(),
    payeeCertificate: (await third.signPayee(signer)).bytes,
  };
  await terminal.join(await offerOf(world));
  await terminal.join(await offerOf(world, other));
  const statusList = await guest.signStatusList({ issuedAt: NOW - 60 });
  await terminal.join(await offerOf(world, { url: "https://moved.example", statusList }));
  const told = (await terminal.issuers()).map(({ issuerId, url, statusListAgeSeconds }) => [
    issuerId,
    url,
    statusListAgeSeconds,
  ]);
  assert.deepEqual(told, [
    ["home", undefined, 3_600],
    [THIRD, "https://third.example", 3_600],
    [GUEST, "https://moved.example", 60],
  ]);
  const older = await offerOf(world, { statusList: await guest.signStatusList({ issuedAt: NOW - 61 }, [7]) });
  assert.equal(codeOf(await terminal.join(older)), "STATUS_LIST_ROLLBACK");
});

test("a new address alone is kept, and a newer list alone", async () => {
  const world = await makeHome();
  const { terminal } = world;
  const first = await offerOf(world);
  await terminal.join(first);
  const moved = { ...first, url: "https://moved.example" };
  await terminal.join(moved);
  assert.equal((await terminal.issuers())[1]?.url, "https://moved.example");
  await terminal.join({ ...moved, statusList: await guest.signStatusList({ issuedAt: NOW - 60 }) });
  assert.equal((await terminal.issuers())[1]?.statusListAgeSeconds, 60);
});

test("a guest's answer to an upload renews the common list and its own, nothing else", async () => {
  const world = await makeHome();
  const { terminal, signer, payee } = world;
  const thirds = { statusList: await third.signStatusList(), payeeCertificate: (await third.signPayee(signer)).bytes };
  await terminal.join(await offerOf(world, { issuerId: THIRD, url: "https://third.example", ...thirds }));
  await terminal.join(await offerOf(world));
  const upload = await terminal.buildUpload({ limit: 10, guestIssuerId: GUEST });
  const answer: UploadAnswer = {
    records: [],
    trustList: await listOf({ version: 2, expiresAt: NOW + 60 * DAY }),
    statusList: await guest.signStatusList({ issuedAt: NOW - 30 }),
    payeeCertificate: (await guest.signPayee(signer, { issuedAt: NOW })).bytes,
  };
  const ages = async () => (await terminal.issuers()).map(({ statusListAgeSeconds }) => statusListAgeSeconds);
  assert.deepEqual((await terminal.applyUploadAnswer(upload, answer)).listRefusals, []);
  assert.deepEqual(await ages(), [3_600, 3_600, 30]);
  const standing = await terminal.standing();
  assert.equal(standing.trustListExpiresAt, NOW + 60 * DAY);
  assert.equal(standing.payee.payeeCertificateId, payee.content.payeeCertificateId);
  const bad = {
    ...answer,
    trustList: await listOf({ version: 1 }),
    statusList: await home.signStatusList({ issuedAt: NOW - 10 }),
  };
  const { listRefusals } = await terminal.applyUploadAnswer(upload, bad);
  assert.deepEqual(
    listRefusals.map(({ code }) => code),
    ["TRUST_LIST_ROLLBACK", "ISSUER_UNKNOWN"],
  );
  assert.deepEqual(await ages(), [3_600, 3_600, 30]);
});

test("an issuer whose key may not certify payees is not joined", async () => {
  const world = await makeTerminal(home, {
    trustList: { keys: [keyOf(home, "home"), keyOf(guest, "guest", { uses: KEY_USE.statusLists })] },
  });
  assert.equal(
    codeOf(await world.terminal.join(await offerOf(world, { trustList: world.enrolment.trustList }))),
    "ISSUER_KEY_NOT_ALLOWED",
  );
});

test("each issuer hears of a void for itself", async () => {
  const world = await makeHome();
  const { terminal } = world;
  await terminal.join(await offerOf(world));
  await terminal.voidRequest((await chargeFor(terminal, 100n)).requestId);
  const uploads = async () => [
    await terminal.buildUpload({ limit: 9 }),
    await terminal.buildUpload({ limit: 9, guestIssuerId: GUEST }),
  ];
  const told = { index: 0, paymentId: null, state: "received", code: null, sentence: null } as const;
  const [own, guests] = await uploads();
  assert.ok(own !== undefined && guests !== undefined);
  assert.deepEqual([own.items.length, guests.items.length], [1, 1]);
  await terminal.applyReceipts(guests, [told]);
  assert.deepEqual(
    (await uploads()).map(({ items }) => items.length),
    [1, 0],
  );
  await terminal.applyReceipts(own, [told]);
  assert.deepEqual(
    (await uploads()).map(({ items }) => items.length),
    [0, 0],
  );
});

test("a terminal's own issuer need not be the first of the list", async () => {
  const world = await makeTerminal(home, { trustList: { keys: KEYS.toReversed() } });
  assert.deepEqual(
    (await world.terminal.issuers()).map(({ issuerId }) => issuerId),
    ["home"],
  );
  assert.deepEqual(
    (await world.again().issuers()).map(({ issuerId }) => issuerId),
    ["home"],
  );
});

test("a slow clock goes by a guest's newest list, too", async () => {
  const world = await makeHome();
  await world.terminal.join(await offerOf(world, { statusList: await guest.signStatusList({ issuedAt: NOW + 9 }) }));
  assert.equal((await world.terminal.standing()).now, NOW + 9);
});
