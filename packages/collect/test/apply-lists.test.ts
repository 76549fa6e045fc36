import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import { currency, decodeMessage, type PayeeId, trustList } from "@cairn/messages";
import { crypto, DAY, makeIssuer, makeTerminal, NOW } from "./world.ts";

const issuer = makeIssuer();

test("takes home newer lists and a renewed certificate", async () => {
  const { terminal, journal, signer } = await makeTerminal(issuer);
  const offered = {
    trustList: await issuer.signTrustList({ version: 2, expiresAt: NOW + 60 * DAY }),
    statusList: await issuer.signStatusList({ issuedAt: NOW }),
    payeeCertificate: (await issuer.signPayee(signer, { issuedAt: NOW, terms: { name: "New name" } })).bytes,
  };
  assert.deepEqual(await terminal.applyLists(offered), []);
  const standing = await terminal.standing();
  assert.equal(standing.trustListExpiresAt, NOW + 60 * DAY);
  assert.equal(standing.statusListAgeSeconds, 0);
  assert.equal(standing.payee.terms.name, "New name");
  const { setupRevision } = await journal.marks();
  assert.deepEqual(await terminal.applyLists(offered), [], "the same again is harmless");
  assert.equal((await journal.marks()).setupRevision, setupRevision, "and writes nothing");
});

test("an older status list that says the same is no news and no fault", async () => {
  const { terminal, journal, enrolment } = await makeTerminal(issuer);
  const { setupRevision } = await journal.marks();
  const statusList = await issuer.signStatusList({ issuedAt: NOW - 3_601 });
  assert.deepEqual(await terminal.applyLists({ ...enrolment, statusList }), []);
  assert.equal((await journal.marks()).setupRevision, setupRevision);
});

test("never goes back, never believes a stranger; the rest of the answer is taken all the same", async () => {
  const other = makeIssuer();
  const world = await makeTerminal(issuer, { trustList: { version: 5 } });
  const { terminal, signer, enrolment, payee } = world;
  // A stranger that names our root key: the name is the same, the signature is not.
  const { rootKeyId } = decodeMessage(trustList, enrolment.trustList, crypto).unverified;
  const forged = await issuer.signTrustList({ version: 6, rootKeyId }, generateNodeSigner());
  const cases: [Partial<typeof enrolment>, string][] = [
    [{ trustList: await issuer.signTrustList({ version: 4 }) }, "TRUST_LIST_ROLLBACK"],
    [{ trustList: await issuer.signTrustList({ version: 5, expiresAt: NOW + 1 }) }, "TRUST_LIST_ROLLBACK"],
    [{ trustList: await issuer.signTrustList({ version: 6, expiresAt: NOW - 301 }) }, "TRUST_LIST_EXPIRED"],
    [{ trustList: await other.signTrustList({ version: 6 }) }, "ISSUER_UNKNOWN"],
    [{ trustList: forged }, "SIGNATURE_INVALID"],
    [{ trustList: new Uint8Array(3) }, "CBOR_TRAILING_BYTES"],
    [{ statusList: new Uint8Array(3) }, "COSE_MALFORMED"],
    [{ payeeCertificate: new Uint8Array(3) }, "CBOR_TRAILING_BYTES"],
    [{ statusList: await issuer.signStatusList({ issuedAt: NOW - 3_601 }, [7]) }, "STATUS_LIST_ROLLBACK"],
    [{ statusList: await issuer.signStatusList({ issuedAt: NOW - 2, expiresAt: NOW - 1 }) }, "STATUS_LIST_STALE"],
    [{ statusList: await other.signStatusList({ issuedAt: NOW }) }, "ISSUER_UNKNOWN"],
    [{ payeeCertificate: (await other.signPayee(signer)).bytes }, "ISSUER_UNKNOWN"],
    [{ payeeCertificate: (await issuer.signPayee(generateNodeSigner())).bytes }, "PAYEE_CERTIFICATE_MISMATCH"],
    [
      { payeeCertificate: (await issuer.signPayee(signer, { payeeId: "OTHER" as PayeeId })).bytes },
      "PAYEE_CERTIFICATE_MISMATCH",
    ],
    [
      { payeeCertificate: (await issuer.signPayee(signer, { terms: { currency: currency("USD") } })).bytes },
      "CURRENCY_MISMATCH",
    ],
    [
      { payeeCertificate: (await issuer.signPayee(signer, { issuedAt: NOW, expiresAt: NOW + 5 })).bytes },
      "PAYEE_CERTIFICATE_EXPIRED",
    ],
  ];
  world.clock.at = NOW + 6;
  for (const [change, code] of cases) {
    const refusals = await terminal.applyLists({ ...enrolment, ...change });
    assert.deepEqual(
      refusals.map((refusal) => refusal.code),
      [code],
    );
  }
  const standing = await terminal.standing();
  assert.equal(standing.trustListExpiresAt, NOW + 30 * DAY);
  assert.equal(standing.payee.payeeCertificateId, payee.content.payeeCertificateId);

  const mixed = {
    ...enrolment,
    trustList: new Uint8Array(3),
    statusList: await issuer.signStatusList({ issuedAt: NOW }),
  };
  assert.equal((await terminal.applyLists(mixed)).length, 1);
  assert.equal((await terminal.standing()).statusListAgeSeconds, 6);
});

test("what is held is turned away like anything else when it has ended", async () => {
  const { terminal, clock, enrolment } = await makeTerminal(issuer);
  clock.at = NOW + 31 * DAY;
  assert.deepEqual(
    (await terminal.applyLists(enrolment)).map(({ code }) => code),
    ["TRUST_LIST_EXPIRED", "STATUS_LIST_STALE", "PAYEE_CERTIFICATE_EXPIRED"],
  );
});

test("an older payee certificate changes nothing and is no fault", async () => {
  const { terminal, signer, enrolment, payee } = await makeTerminal(issuer);
  const older = await issuer.signPayee(signer, { issuedAt: NOW - 2 * DAY });
  assert.deepEqual(await terminal.applyLists({ ...enrolment, payeeCertificate: older.bytes }), []);
  assert.equal((await terminal.standing()).payee.payeeCertificateId, payee.content.payeeCertificateId);
  const sameSecond = await issuer.signPayee(signer);
  assert.deepEqual(await terminal.applyLists({ ...enrolment, payeeCertificate: sameSecond.bytes }), []);
  assert.equal((await terminal.standing()).payee.payeeCertificateId, sameSecond.content.payeeCertificateId);
});

test("a process that decided on an older setup decides again: no list goes back between two processes", async () => {
  const { journal, ports, enrolment, payee, again } = await makeTerminal(issuer);
  const newest = await issuer.signTrustList({ version: 9 });
  const { payeeCertificateId } = payee.content;
  let interfered = false;
  const racing = Object.assign(Object.create(journal), {
    replaceSetup: async (...[setup, revision]: Parameters<typeof journal.replaceSetup>) => {
      if (!interfered) {
        interfered = true;
        await journal.replaceSetup(
          { ...enrolment, trustList: newest, payeeCertificateId, issuerId: undefined, guests: [] },
          revision,
        );
      }
      return journal.replaceSetup(setup, revision);
    },
    marks: () => journal.marks(),
    setup: () => journal.setup(),
  });
  const slower = again({ ...ports, journal: racing });
  const refusals = await slower.applyLists({ ...enrolment, trustList: await issuer.signTrustList({ version: 2 }) });
  assert.deepEqual(
    refusals.map(({ code }) => code),
    ["TRUST_LIST_ROLLBACK"],
  );
  assert.deepEqual((await journal.setup())?.setup.trustList, newest);
});

test("gives up when other processes never stop", async () => {
  const { journal, ports, enrolment, again } = await makeTerminal(issuer);
  const contended = Object.assign(Object.create(journal), {
    replaceSetup: async () => false,
    marks: () => journal.marks(),
    setup: () => journal.setup(),
  });
  const terminal = again({ ...ports, journal: contended });
  const trustList = await issuer.signTrustList({ version: 2 });
  await assert.rejects(terminal.applyLists({ ...enrolment, trustList }), { code: "SETUP_CONTENDED" });
});
