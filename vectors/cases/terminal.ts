import { chainHashOf, statusBits, type Verified } from "@cairn/messages";
import { type Case, hex, type JsonObject } from "../case.ts";
import { otherSignature } from "../keys.ts";
import * as world from "../world.ts";
import { chainHash, DAY, NOW } from "../world.ts";
import {
  CONFORMING,
  codeOf,
  freshNonce,
  PRECEDENCE,
  SHARED_FAULTS,
  type TwoWay,
  type TwoWayChanges,
  twoWay,
} from "./two-way.ts";

/** What a terminal makes of a two-way payment, knowing its lists, its own requests and what it accepted before. */
type Bytes = { readonly bytes: Uint8Array };
type Memory = {
  readonly statusList?: Bytes;
  readonly requests?: readonly { readonly request: Bytes; readonly voided?: boolean }[];
  readonly before?: readonly { readonly set: Pick<TwoWay, "certificate" | "payment">; readonly now: number }[];
  readonly now?: number;
};

async function inputOf(set: TwoWay, memory: Memory): Promise<JsonObject> {
  const requests = memory.requests ?? [{ request: set.request }];
  return {
    trustList: hex(set.trustList.bytes),
    statusList: hex((memory.statusList ?? (await world.signStatusList())).bytes),
    payeeCertificate: hex(set.payee.bytes),
    requests: requests.map(({ request, voided = false }) => ({ request: hex(request.bytes), voided })),
    before: (memory.before ?? []).map(({ set: earlier, now }) => ({ code: codeOf(earlier), now })),
    code: codeOf(set),
    now: memory.now ?? NOW,
  };
}

async function accepts(
  name: string,
  description: string,
  set: TwoWay,
  memory: Memory = {},
  guaranteed = true,
): Promise<Case> {
  const { messageId: paymentId, content } = set.payment;
  const fields = { paymentId, takenMinor: content.amountMinor.toString(), guaranteed };
  return { name: `accept/${name}`, description, step: "accept", input: await inputOf(set, memory), expect: { fields } };
}

async function refuses(
  name: string,
  description: string,
  code: string,
  set: TwoWay,
  memory: Memory = {},
): Promise<Case> {
  return { name: `accept/${name}`, description, step: "accept", input: await inputOf(set, memory), expect: { code } };
}

/** The next payment of the same certificate, for a request of its own. */
const nextOf = (
  earlier: TwoWay,
  changes: TwoWayChanges["payment"] = {},
  payee: TwoWayChanges["payee"] = {},
): Promise<TwoWay> =>
  twoWay({
    payee,
    request: { nonce: freshNonce(0xa2) },
    payment: {
      sequence: earlier.payment.content.sequence + 1,
      spentMinor: earlier.payment.content.spentMinor + 1_337n,
      previous: chainHashOf(earlier.payment.messageId),
      ...changes,
    },
  });

export async function acceptCases(): Promise<{ valid: Case[]; invalid: Case[] }> {
  const valid: Case[] = [];
  const invalid: Case[] = [];
  for (const [name, description, changes] of CONFORMING)
    valid.push(await accepts(name, description, await twoWay(changes)));
  for (const [name, description, code, changes] of [...SHARED_FAULTS, ...PRECEDENCE])
    invalid.push(await refuses(name, description, code, await twoWay(changes), acceptMemory(name)));

  const first = await twoWay();
  const before = [{ set: first, now: NOW }];
  const second = await nextOf(first);
  const both = { requests: [first, second].map(({ request }) => ({ request })), before };
  valid.push(
    await accepts("second", "The certificate's next payment.", second, both),
    await accepts(
      "after-gap",
      "A later payment, others between them.",
      await nextOf(first, { sequence: 5, spentMinor: 9_000n, previous: chainHash(0x53) }),
      {
        requests: [first, second].map(({ request }) => ({ request })),
        before,
      },
    ),
    await accepts("request-last-second", "At the second of the request's expiry.", first, { now: NOW + 280 }),
    await accepts("list-oldest", "The status list is as old as it may be.", first, {
      statusList: await world.signStatusList({ issuedAt: NOW - 7 * DAY }),
    }),
    await accepts(
      "beyond-list",
      "The certificate is newer than the status list and beyond its end.",
      await twoWay({ certificate: { terms: { statusIndex: 1_000_000 } } }),
    ),
    await accepts(
      "stored-total-full",
      "All that the terminal may store.",
      await nextOf(first, {}, { terms: { storedTotalCapMinor: 2_674n } }),
      both,
    ),
    await accepts(
      "above-payee-ceiling",
      "More of one certificate than is paid without review if it turns out to be cloned: accepted, not guaranteed.",
      await nextOf(first, {}, { terms: { perCertificateCapMinor: 2_673n } }),
      both,
      false,
    ),
  );
  const revoked = await world.signStatusList({ bits: statusBits({ size: 64, revoked: [7] }) });
  const stale = await world.signStatusList({ issuedAt: NOW - 7 * DAY - 1 });
  const otherPayment = await nextOf(first, {});
  const sameRequest = await twoWay({
    payment: { sequence: 2, spentMinor: 2_674n, previous: chainHashOf(first.payment.messageId) },
  });
  const expiredList = await twoWay({ trustList: { expiresAt: NOW - 301 } });
  invalid.push(
    await refuses(
      "trust-list-expired",
      "The terminal's trust list expired 301 seconds ago.",
      "TRUST_LIST_EXPIRED",
      expiredList,
    ),
    await refuses("replayed", "The same payment again.", "PAYMENT_REPLAYED", first, { before }),
    await refuses(
      "replayed-signed-again",
      "The same payment under another signature.",
      "PAYMENT_REPLAYED",
      signedAgain(first),
      { before },
    ),
    await refuses(
      "replayed-later",
      "The same payment again, the request expired: still a replay.",
      "PAYMENT_REPLAYED",
      first,
      {
        before,
        now: NOW + 3_600,
      },
    ),
    await refuses("revoked", "The certificate is withdrawn.", "CERTIFICATE_REVOKED", first, { statusList: revoked }),
    await refuses(
      "status-list-stale",
      "The status list is a second older than it may be.",
      "STATUS_LIST_STALE",
      first,
      { statusList: stale },
    ),
    await refuses("request-unknown", "It answers a request of another terminal.", "REQUEST_UNKNOWN", first, {
      requests: [],
    }),
    await refuses(
      "request-other",
      "It answers no request at all.",
      "REQUEST_UNKNOWN",
      await twoWay({ payment: { requestHash: otherPayment.payment.content.requestHash } }),
    ),
    await refuses("request-voided", "The terminal has voided the request.", "REQUEST_VOIDED", first, {
      requests: [{ request: first.request, voided: true }],
    }),
    await refuses("request-expired", "A second after the request's expiry.", "REQUEST_EXPIRED", first, {
      now: NOW + 281,
    }),
    await refuses(
      "request-already-paid",
      "Another payment for a request that is paid.",
      "REQUEST_ALREADY_PAID",
      sameRequest,
      { before },
    ),
    await refuses(
      "same-sequence",
      "Another payment of the same sequence number.",
      "SEQUENCE_CONFLICT",
      await nextOf(first, { sequence: 1 }),
      both,
    ),
    await refuses(
      "no-room",
      "A higher sequence number, a total without room for the earlier one.",
      "SEQUENCE_CONFLICT",
      await nextOf(first, { spentMinor: 2_673n }),
      both,
    ),
    await refuses("older", "A payment that comes before the one accepted.", "SEQUENCE_CONFLICT", first, {
      requests: [first, second].map(({ request }) => ({ request })),
      before: [{ set: second, now: NOW }],
    }),
    await refuses(
      "stored-total",
      "A cent more than the terminal may store.",
      "STORED_TOTAL_REACHED",
      await nextOf(first, {}, { terms: { storedTotalCapMinor: 2_673n } }),
      both,
    ),
    await refuses("precedence-revoked", "Withdrawn, and the request is expired.", "CERTIFICATE_REVOKED", first, {
      statusList: revoked,
      now: NOW + 281,
    }),
    await refuses("precedence-stale", "A stale list, and an unknown request.", "STATUS_LIST_STALE", first, {
      statusList: stale,
      requests: [],
    }),
  );
  return { valid, invalid };
}

/** A payee certificate that began later makes the terminal believe in that time; everything else is at NOW. */
const acceptMemory = (name: string): Memory => (name === "certificate-not-yet-valid" ? { now: NOW + 281 } : {});

function signedAgain(set: TwoWay): TwoWay {
  const { bytes } = set.payment;
  const payment: Verified<TwoWay["payment"]["content"]> = {
    ...set.payment,
    bytes: Uint8Array.from([...bytes.subarray(0, -64), ...otherSignature(bytes.subarray(-64))]),
  };
  return { ...set, payment };
}
