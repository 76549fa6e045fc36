import { type Acceptance, type AcceptanceView, DEFAULT_COLLECT_POLICY, decideAcceptance } from "@cairn/collect";
import { type Payment, refuseTwoWayPayment, type Verified } from "@cairn/messages";
import { type Counter, decidePayment } from "@cairn/pay";
import type { SettlementItem } from "@cairn/settle";
import { ACCOUNT, World } from "../../packages/settle/test/world.ts";
import type { Space, Step } from "./breadth-first.ts";
import {
  AMOUNTS,
  type Asked,
  BALANCE_MINOR,
  CEILING_MINOR,
  CREDIT_MINOR,
  certificate,
  crypto,
  hashOf,
  LIMIT_MINOR,
  makeRequests,
  NOW,
  ROOT,
  shown,
  statusList,
  tills,
} from "./parties.ts";

/** A payment that was shown, and the request that it answers. */
type Shown = { readonly payment: Verified<Payment>; readonly asked: Asked };
type State = {
  /** Images of the one device: more than one is a copied device. */
  readonly images: readonly Counter[];
  readonly asked: number;
  readonly shown: readonly Shown[];
  /** Of each till, what it accepted, oldest first. */
  readonly accepted: readonly (readonly Acceptance[])[];
  readonly server: World;
};
const EVIL_TILL = 1;
export type SmallWorld = {
  /** Most payments that are made. */
  readonly payments: number;
  readonly images: number;
  /** The second till uploads whatever it was shown, accepted or not. */
  readonly evilTill: boolean;
};

/**
 * Everything that can happen with a few payments of one certificate, by the code that ships: the wallet's decision to
 * pay, the terminal's to accept, the issuer's to settle. Time stands still; the model (docs/spec/model) has it move.
 */
export async function smallWorld(size: SmallWorld): Promise<Space<State>> {
  const request = await makeRequests(size.payments);
  const start: State = {
    images: [{ sequence: 0, spentMinor: 0n, previous: ROOT, unsignedPayments: 0 }],
    asked: 0,
    shown: [],
    accepted: tills.map(() => []),
    server: firstServer(),
  };

  function next(state: State): Step<State>[] {
    const steps: Step<State>[] = [];
    const add = (says: string, changes: Partial<State> | undefined): void => {
      if (changes !== undefined) steps.push({ says, state: { ...state, ...changes } });
    };
    state.images.forEach((counter, image) => {
      if (state.images.length < size.images)
        add(`the device is copied, as image ${image} is now`, { images: [...state.images, counter] });
      if (state.shown.length >= size.payments) return;
      for (const till of tills)
        for (const amountMinor of AMOUNTS)
          add(
            `image ${image} pays a new request of ${amountMinor} at till ${till.index}`,
            pay(state, image, request(state.asked, till.index, amountMinor), state.asked + 1),
          );
      // What another image paid, this one has not heard of.
      if (state.images.length > 1)
        for (const { asked } of state.shown)
          add(`image ${image} pays ${nameOf(asked)} as well`, pay(state, image, asked, state.asked));
    });
    state.shown.forEach((one, index) => {
      const { till } = one.asked;
      add(`till ${till.index} accepts payment ${index}`, accept(state, one));
      const isTaken = state.accepted[till.index]?.some(({ paymentId }) => paymentId === one.payment.messageId) === true;
      if (isTaken || (size.evilTill && till.index === EVIL_TILL))
        add(`till ${till.index} uploads payment ${index}`, bring(state, itemOf(one, "terminal")));
      add(`the payer brings its own copy of payment ${index}`, bring(state, itemOf(one, "payer")));
    });
    return steps;
  }

  return { start, next, key: keyOf, broken: (state) => brokenIn(state, size) };
}

const nameOf = ({ till, request }: Asked): string =>
  `the request of ${request.content.amountMinor} at till ${till.index}, ${request.messageId.slice(0, 4)},`;

/** The wallet's own decision, and the counter as its store leaves it. */
function pay(state: State, image: number, asked: Asked, count: number): Partial<State> | undefined {
  const counter = state.images[image];
  if (counter === undefined) return undefined;
  const { content, messageId: requestId } = asked.request;
  const payeeCertificate = asked.till.certificate.content;
  const consent = { requestId, payeeId: payeeCertificate.payeeId, amountMinor: content.amountMinor };
  const held = [{ certificate: certificate.content, counter, closed: false, revoked: false }];
  const wanted = { request: content, requestId, payeeCertificate, consent, now: NOW };
  const decision = decidePayment({ held, earlier: undefined }, wanted);
  if (decision.kind !== "pay") return undefined;
  const payment = shown(decision.content);
  if (state.shown.some((known) => known.payment.messageId === payment.messageId)) return undefined;
  const { sequence, spentMinor } = decision.content;
  const after: Counter = { sequence, spentMinor, previous: chainLinkOf(payment), unsignedPayments: 0 };
  return {
    images: state.images.with(image, after),
    asked: count,
    shown: [...state.shown, { payment, asked }],
  };
}

const chainLinkOf = ({ messageId }: Verified<Payment>): Counter["previous"] =>
  messageId.slice(0, 16) as Counter["previous"];

/** The terminal's own decision, on the view that its journal would give it. */
function accept(state: State, { payment, asked }: Shown): Partial<State> | undefined {
  const { till, request } = asked;
  const journal = state.accepted[till.index] ?? [];
  const sum = journal.reduce((total, { amountMinor }) => total + amountMinor, 0n);
  const requestId = request.messageId;
  const paidBy = journal.find((acceptance) => acceptance.requestId === requestId)?.paymentId;
  const view: AcceptanceView = {
    earlier: journal.find(({ paymentId }) => paymentId === payment.messageId),
    request: {
      requestId,
      requestHash: hashOf(requestId),
      request: request.bytes,
      payeeCertificateId: till.certificate.content.payeeCertificateId,
      payeeCertificate: till.certificate.bytes,
      issuedAt: request.content.issuedAt,
      paidBy,
      voidedAt: undefined,
      requestVoid: undefined,
      voidAnsweredAt: undefined,
    },
    newest: journal.toSorted((left, right) => right.sequence - left.sequence)[0],
    acceptedOfCertificateMinor: sum,
    stored: { totalMinor: sum, count: journal.length },
    refused: { isKept: false, kept: 0, keptOfCertificate: 0 },
  };
  const { result } = decideAcceptance({ certificate, payment, guestIssuerId: undefined }, view, {
    setup: { statusList, payeeCertificate: till.certificate },
    policy: DEFAULT_COLLECT_POLICY,
    now: NOW,
    crypto,
  });
  if (result.kind !== "accepted") return undefined;
  return { accepted: state.accepted.with(till.index, [...journal, result.acceptance]) };
}

function itemOf({ payment, asked }: Shown, broughtBy: SettlementItem["broughtBy"]): SettlementItem {
  const { till, request } = asked;
  const { payeeId, terms } = till.certificate.content;
  return {
    ...payment.content,
    inboxId: 1,
    paymentId: payment.messageId,
    bytes: payment.bytes,
    kind: "payment",
    receivedAt: NOW,
    broughtBy,
    voided: false,
    payeeWord:
      broughtBy === "payer"
        ? undefined
        : {
            payeeId,
            terminalId: till.terminalId,
            perCertificateCapMinor: terms.perCertificateCapMinor,
            maximumOfflineSeconds: terms.maximumOfflineSeconds,
            acceptedAt: request.content.issuedAt,
            takenMinor: payment.content.amountMinor,
          },
    refusal: refuseTwoWayPayment({
      certificate: certificate.content,
      payment: payment.content,
      payeeCertificate: till.certificate.content,
      request: request.content,
      requestId: request.messageId,
    }),
  };
}

function bring(state: State, item: SettlementItem): Partial<State> {
  const server = fork(state.server);
  server.settle([item], NOW);
  return { server };
}

function firstServer(): World {
  const { certificateId, issuedAt, expiresAt } = certificate.content;
  return new World({
    balanceMinor: BALANCE_MINOR,
    creditMinor: CREDIT_MINOR,
    certificates: [{ certificateId, limitMinor: LIMIT_MINOR, issuedAt, expiresAt }],
  });
}

function fork(server: World): World {
  const copy = new World({ certificates: [...server.certificates.values()] });
  for (const [account, funds] of server.funds) copy.funds.set(account, funds);
  copy.entries.push(...server.entries);
  return copy;
}

function keyOf({ images, asked, shown: all, accepted, server }: State): string {
  const counters = images.map(({ sequence, spentMinor, previous }) => `${sequence},${spentMinor},${previous}`);
  const payments = [...server.certificates.values()].flatMap(({ conflict, payments: known }) => [
    conflict === undefined ? "" : `${conflict.first.slice(0, 8)}${conflict.second.slice(0, 8)}`,
    ...known.map(({ paymentId, state }) => `${paymentId.slice(0, 8)}${state}`).toSorted(),
  ]);
  const journals = accepted.map((journal) => journal.map(({ paymentId }) => paymentId.slice(0, 8)).join("+"));
  const ids = all.map(({ payment }) => payment.messageId.slice(0, 8)).toSorted();
  return [counters.toSorted().join(";"), asked, ids.join("+"), journals.join("|"), payments.join("+")].join("/");
}

/** "What may never happen", as far as it can happen here. */
function brokenIn(state: State, size: SmallWorld): string[] {
  const { server, images, shown: all } = state;
  const broken: string[] = [];
  const claim = (holds: boolean, sentence: string): void => {
    if (!holds) broken.push(sentence);
  };
  const certificateState = [...server.certificates.values()][0];
  const known = certificateState?.payments ?? [];
  const conflict = certificateState?.conflict;
  for (const { postings, reference } of server.entries)
    claim(postings.reduce((sum, { minor }) => sum + minor, 0n) === 0n, `1: ${reference} does not sum to zero`);
  const funds = server.funds.get(ACCOUNT);
  const spentMinor = BALANCE_MINOR - (funds?.balanceMinor ?? 0n) + CREDIT_MINOR - (funds?.creditAvailableMinor ?? 0n);
  const lossMinor = server.total("loss-reserve");
  claim(spentMinor + lossMinor === -server.total("clearing"), "1: payees were credited what nobody paid");
  claim(new Set(server.entries.map(({ reference }) => reference)).size === server.entries.length, "2: posted twice");
  for (const { payment, asked } of all) {
    const { messageId: paymentId, content } = payment;
    const standing = known.find((one) => one.paymentId === paymentId);
    const entries = server.entries.filter(({ reference }) => reference.endsWith(paymentId));
    claim(
      (standing?.state === "settled") === (entries.length === 1),
      `2: ${standing?.state} with ${entries.length} entries`,
    );
    claim(standing?.state !== "settled" || standing.takenMinor === content.amountMinor, "4: another amount");
    claim(
      standing?.claim === undefined || standing.claim.payeeId === asked.till.certificate.content.payeeId,
      "4: another payee",
    );
    const isOwed = !(size.evilTill && asked.till.index === EVIL_TILL);
    const isAccepted = state.accepted[asked.till.index]?.some((one) => one.paymentId === paymentId) === true;
    if (isOwed && isAccepted) for (const sentence of unpaid(server, { payment, asked })) broken.push(sentence);
  }
  const isHonest = images.length === 1;
  claim(!isHonest || conflict === undefined, "3: an honest payer is blamed");
  const paidTills = new Set(
    known.flatMap(({ state: its, claim: word }) => (its === "settled" ? [word?.terminalId] : [])),
  );
  const boundMinor = BigInt(Math.max(0, paidTills.size - 1)) * LIMIT_MINOR;
  claim(lossMinor <= boundMinor, `5: a loss of ${lossMinor}, ${boundMinor} at most`);
  claim(lossMinor <= CEILING_MINOR * BigInt(tills.length), `5: a loss of ${lossMinor} above the ceilings`);
  claim(lossMinor === 0n || conflict !== undefined, "5: a loss without proof");
  claim(size.evilTill || !isHonest || lossMinor === 0n, "5: a loss with an honest device");
  return broken;
}

/** What an honest till accepted is settled when it is uploaded, or held by a rule known before; again, nothing changes. */
function unpaid(server: World, one: Shown): string[] {
  const first = fork(server);
  const item = itemOf(one, "terminal");
  if (item.refusal !== undefined) return [`6: accepted, and then ${item.refusal.code}`];
  const { state, code } = first.one(item, NOW);
  const isPaid = state === "settled" || (state === "held" && code === "PAYEE_CEILING_REACHED");
  if (!isPaid) return [`2: accepted, and then ${state} ${code}`];
  const before = first.entries.length;
  const again = first.one(item, NOW);
  return again.repeated && first.entries.length === before ? [] : ["2: uploaded again, it is judged again"];
}
