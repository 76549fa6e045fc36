import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeCbor, publicKeyFromCbor } from "@cairn/cose";
import {
  decodeMessage,
  deviceIdOf,
  isRefusal,
  payeeCertificate,
  statusList,
  terminalIdOf,
  trustAnchors,
  trustList,
  verifyMessage,
  verifyPayeeCertificate,
  verifyStatusList,
} from "@cairn/messages";
import { startTestIssuer } from "./support/issuer.ts";
import { TestTerminal } from "./support/terminal.ts";
import { crypto, EUR } from "./support/values.ts";
import { TestWallet } from "./support/wallet.ts";
import { KIOSK, makeWorld } from "./support/world.ts";

const label = "phone";

async function anchorsOf(delivered: { readonly rootKey: Uint8Array; readonly trustList: Uint8Array }) {
  const key = publicKeyFromCbor(decodeCbor(delivered.rootKey));
  const list = await verifyMessage(decodeMessage(trustList, delivered.trustList, crypto), { key, crypto });
  return trustAnchors(list, crypto);
}

test("a device gets what it needs to trust the issuer, and the same again after a lost answer", async (t) => {
  const { operator, account, issuer, ...at } = await makeWorld(t);
  const wallet = new TestWallet({ operator, issuer, ...at });
  const { code } = await operator.createDeviceCode(account);
  const answer = await wallet.client.enrolDevice({ code, protection: 2, label });
  assert.equal(answer.deviceId, deviceIdOf(wallet.signer.publicKey, crypto));
  assert.deepEqual([answer.issuerId, answer.issuerName, answer.currency], ["test-bank", "Test Bank", "EUR"]);
  const anchors = await anchorsOf(answer);
  assert.equal(anchors.list.content.keys[0]?.issuerUrl, issuer.url);
  const status = await verifyStatusList(decodeMessage(statusList, answer.statusList, crypto), { anchors, crypto });
  assert.ok(!isRefusal(status));
  assert.equal(status.content.bits.length % 1_024, 0, "padded, so that its length does not count certificates");
  const again = await wallet.client.enrolDevice({ code: code.toLowerCase(), protection: 2, label });
  assert.deepEqual([again.deviceId, again.rootKey], [answer.deviceId, answer.rootKey]);
  const device = await operator.device(answer.deviceId);
  assert.deepEqual([device.account, device.protection, device.label], [account, 2, label]);
});

test("the log names every code that is made, and every device and terminal that is enrolled", async (t) => {
  const { logged, wallet, terminal } = await makeWorld(t);
  const named = (words: string, id = "") => logged.filter((line) => line.includes(words) && line.includes(id)).length;
  assert.equal(named("enrolment code made"), 2);
  assert.equal(named("device enrolled", deviceIdOf(wallet.signer.publicKey, crypto)), 1);
  assert.equal(named("terminal enrolled", terminalIdOf(terminal.signer.publicKey, crypto)), 1);
});

test("a terminal gets its payee certificate, for its own key and within the payee's ceilings", async (t) => {
  const at = await startTestIssuer(t);
  await at.operator.createPayee({
    payeeId: KIOSK,
    name: "Harbour Kiosk",
    currency: EUR,
    perPaymentCapMinor: 700n,
    storedTotalCapMinor: 70_000n,
    perCertificateCapMinor: 1_700n,
    maximumOfflineSeconds: 3_600,
  });
  const terminal = new TestTerminal(at);
  const { code } = await at.operator.createTerminalCode(KIOSK);
  const answer = await terminal.client.enrolTerminal({ code, protection: 0, label: "till 1" });
  assert.equal(answer.terminalId, terminalIdOf(terminal.signer.publicKey, crypto));
  assert.deepEqual([answer.payeeId, answer.name, answer.currency], [KIOSK, "Harbour Kiosk", "EUR"]);
  const decoded = decodeMessage(payeeCertificate, answer.payeeCertificate, crypto);
  const certificate = await verifyPayeeCertificate(decoded, { anchors: await anchorsOf(answer), crypto });
  assert.ok(!isRefusal(certificate));
  assert.deepEqual(certificate.content.terminalKey, terminal.signer.publicKey);
  assert.equal(certificate.content.terms.perPaymentCapMinor, 700n);
  assert.equal(certificate.content.terms.maximumOfflineSeconds, 3_600);
  const again = await terminal.client.enrolTerminal({ code, protection: 0, label: "till 1" });
  assert.deepEqual(again.payeeCertificate, answer.payeeCertificate);
  assert.equal((await at.operator.terminal(answer.terminalId)).label, "till 1");
});

test("the lists are served as signed bytes under their media types", async (t) => {
  const { issuer, wallet } = await makeWorld(t);
  const trust = await fetch(`${issuer.url}/v1/trust-list`);
  assert.equal(trust.headers.get("content-type"), "application/cwt");
  const status = await fetch(`${issuer.url}/v1/status-list`);
  assert.equal(status.headers.get("content-type"), "application/statuslist+cwt");
  const lists = await wallet.client.lists();
  assert.deepEqual(lists.trustList, new Uint8Array(await trust.arrayBuffer()));
  decodeMessage(trustList, lists.trustList, crypto);
  const { uri } = decodeMessage(statusList, new Uint8Array(await status.arrayBuffer()), crypto).unverified;
  assert.equal(uri, `${issuer.url}/v1/status-list`);
});
