import {
  type Acceptance,
  type AcceptanceView,
  DEFAULT_COLLECT_POLICY,
  decideAcceptance,
  decideCapture,
  decideOpenAcceptance,
  decideVoid,
  type RequestRecord,
} from "@cairn/collect";
import { requestHashOf } from "@cairn/messages";
import type { Step } from "./breadth-first.ts";
import { bringing, issuerKnows } from "./bringing.ts";
import { type Asked, askedFor, crypto, idOf, listOf, type Shown, type Till } from "./cast.ts";
import { itemOf } from "./items.ts";
import { nowOf, type Setting, step } from "./setting.ts";
import { type State, type TillState, tillKey } from "./state.ts";
import { capturesOf, isEvil } from "./world.ts";

type Steps = readonly Step<State>[];

/** What the tills can do, those that follow the rules and the one that does not. */
export function payeeSteps(state: State, setting: Setting): Steps {
  const { world, tills } = setting;
  return tills.flatMap((till) => [
    ...state.shown.flatMap((one) => accepting(state, till, one, setting)),
    ...capturing(state, till, setting),
    ...(world.voids ? voiding(state, till, setting) : []),
    ...(world.maximumOfflineSeconds === undefined ? [] : fetching(state, till, setting)),
    ...uploading(state, till, setting),
    ...(isEvil(world, till.index) ? claiming(state, till, setting) : []),
  ]);
}

const tillOf = (state: State, { index }: Till): TillState => {
  const till = state.tills[index];
  if (till === undefined) throw new Error("There is no such till.");
  return till;
};

function accepting(state: State, till: Till, shown: Shown, setting: Setting): Steps {
  const { world } = setting;
  const before = tillOf(state, till);
  const now = nowOf(setting, state);
  const captures = shown.kind === "payment" ? [undefined] : [undefined, ...capturesOf(world)];
  return captures.flatMap((captureMinor) => {
    const acceptance = decided(before, { till, shown, captureMinor, now });
    if (acceptance === undefined) return [];
    const what = captureMinor === undefined ? "" : ` and takes ${captureMinor}`;
    const says = `till ${till.index} accepts payment ${state.shown.indexOf(shown)}${what}`;
    const after = { ...before, accepted: [...before.accepted, acceptance] };
    return [step(state, says, { tills: state.tills.with(till.index, after) })];
  });
}

type Offered = {
  readonly till: Till;
  readonly shown: Shown;
  readonly captureMinor: bigint | undefined;
  readonly now: number;
};
const known = new Map<string, Acceptance | undefined>();

/** The terminal's own decision, on the view that its journal would give it. */
function decided(before: TillState, offered: Offered): Acceptance | undefined {
  const { till, shown, captureMinor, now } = offered;
  const key = `${till.certificate.messageId.slice(0, 8)} ${tillKey(before)} ${shown.number} ${captureMinor} ${now}`;
  if (!known.has(key)) known.set(key, decide(before, offered));
  return known.get(key);
}

function decide(before: TillState, { till, shown, captureMinor, now }: Offered): Acceptance | undefined {
  const view = viewOf(before, till, shown);
  const setup = { statusList: listOf(before.listAt, before.listed), payeeCertificate: till.certificate };
  const terms = { setup, policy: DEFAULT_COLLECT_POLICY, now };
  const common = { certificate: shown.certificate, guestIssuerId: undefined };
  const { result } =
    shown.kind === "payment"
      ? decideAcceptance({ ...common, payment: shown.payment }, view, { ...terms, crypto })
      : decideOpenAcceptance({ ...common, payment: shown.payment }, view, { ...terms, captureMinor });
  return result.kind === "accepted" ? result.acceptance : undefined;
}

function viewOf({ accepted, voided }: TillState, till: Till, shown: Shown): AcceptanceView {
  const { certificateId } = shown.certificate.content;
  const ofCertificate = accepted.filter((one) => one.certificateId === certificateId);
  const sum = (all: readonly Acceptance[]) =>
    all.reduce((total, { takenMinor, amountMinor }) => total + (takenMinor ?? amountMinor), 0n);
  return {
    earlier: accepted.find(({ paymentId }) => paymentId === idOf(shown)),
    // A terminal finds its own requests alone.
    request:
      shown.kind === "payment" && shown.asked.till === till ? recordOf(shown.asked, { accepted, voided }) : undefined,
    newest: ofCertificate.toSorted((left, right) => right.sequence - left.sequence)[0],
    acceptedOfCertificateMinor: sum(ofCertificate),
    stored: { totalMinor: sum(accepted), count: accepted.length },
    refused: { isKept: false, kept: 0, keptOfCertificate: 0 },
  };
}

function recordOf(
  { till, request }: Asked,
  { accepted, voided }: Pick<TillState, "accepted" | "voided">,
): RequestRecord {
  const requestId = request.messageId;
  return {
    requestId,
    requestHash: requestHashOf(requestId),
    request: request.bytes,
    payeeCertificateId: till.certificate.content.payeeCertificateId,
    payeeCertificate: till.certificate.bytes,
    issuedAt: request.content.issuedAt,
    paidBy: accepted.find((acceptance) => acceptance.requestId === requestId)?.paymentId,
    voidedAt: voided.includes(requestId) ? request.content.issuedAt : undefined,
    requestVoid: undefined,
    voidAnsweredAt: undefined,
  };
}

/** An accepted open payment whose amount was left open. */
function capturing(state: State, till: Till, { world }: Setting): Steps {
  const before = tillOf(state, till);
  return before.accepted.flatMap((acceptance, at) => {
    if (acceptance.takenMinor !== undefined) return [];
    return capturesOf(world).flatMap((amountMinor) => {
      const { result } = decideCapture(acceptance, amountMinor, till.certificate.content);
      if (result.kind !== "captured") return [];
      const after = { ...before, accepted: before.accepted.with(at, result.acceptance) };
      return [
        step(state, `till ${till.index} captures ${amountMinor}`, { tills: state.tills.with(till.index, after) }),
      ];
    });
  });
}

/** A request is given up, by the terminal's decision or by a lie. */
function voiding(state: State, till: Till, setting: Setting): Steps {
  const before = tillOf(state, till);
  return ownRequests(state, till).flatMap((asked) => {
    const requestId = asked.request.messageId;
    if (before.voided.includes(requestId)) {
      if (issuerKnows(state, { voided: requestId })) return [];
      const issuer = state.issuer.hearVoid(requestHashOf(requestId));
      return [step(state, `till ${till.index} uploads a void`, { issuer: setting.issuers.one(issuer) })];
    }
    const { result } = decideVoid(recordOf(asked, before), nowOf(setting, state));
    if (result.kind !== "voided" && !isEvil(setting.world, till.index)) return [];
    const after = { ...before, voided: [...before.voided, requestId] };
    return [step(state, `till ${till.index} gives a request up`, { tills: state.tills.with(till.index, after) })];
  });
}

const ownRequests = (state: State, till: Till): readonly Asked[] => [
  ...new Set(state.shown.flatMap((one) => (one.kind === "payment" && one.asked.till === till ? [one.asked] : []))),
];

/** The newest status list is taken home. */
function fetching(state: State, till: Till, setting: Setting): Steps {
  const before = tillOf(state, till);
  const listAt = nowOf(setting, state);
  const listed = state.issuer.issued.reduce((mask, { certificate, number }) => {
    const isRevoked = state.issuer.state(certificate.content.certificateId).revokedAt !== undefined;
    return isRevoked ? mask | (1 << number) : mask;
  }, 0);
  if (before.listAt === listAt && before.listed === listed) return [];
  const after = { ...before, listAt, listed };
  return [step(state, `till ${till.index} fetches the status list`, { tills: state.tills.with(till.index, after) })];
}

/** Record by record, and everything at once. */
function uploading(state: State, till: Till, setting: Setting): Steps {
  const receivedAt = nowOf(setting, state);
  const items = tillOf(state, till).accepted.flatMap((acceptance) => {
    const shown = state.shown.find((one) => idOf(one) === acceptance.paymentId);
    const { takenMinor, acceptedAt } = acceptance;
    if (shown === undefined || takenMinor === undefined) return [];
    const item = itemOf(shown, { by: "terminal", receivedAt, word: { till, acceptedAt, takenMinor } });
    return item === undefined ? [] : [{ item, index: state.shown.indexOf(shown) }];
  });
  return [
    ...items.flatMap(({ item, index }) =>
      bringing(state, [item], `till ${till.index} uploads payment ${index}`, setting),
    ),
    ...(items.length > 1
      ? bringing(
          state,
          items.map(({ item }) => item),
          `till ${till.index} uploads all that it accepted`,
          setting,
        )
      : []),
  ];
}

/** A till in league with the thief, or a thief itself: claims whatever it has seen, for any amount, at any time. */
function claiming(state: State, till: Till, setting: Setting): Steps {
  const { world, times } = setting;
  const receivedAt = nowOf(setting, state);
  return state.shown.flatMap((shown, index) => {
    const says = `till ${till.index} claims`;
    if (shown.kind === "payment") {
      // With the request that it answers when that is its own, else with a larger one of its own.
      const asked =
        shown.asked.till === till ? shown.asked : askedFor(till, { number: 99, amountMinor: 3n, issuedAt: receivedAt });
      const item = itemOf(shown, { by: "terminal", receivedAt, asked });
      return item === undefined ? [] : bringing(state, [item], `${says} payment ${index}`, setting);
    }
    return times.slice(0, state.now + 1).flatMap((acceptedAt) =>
      capturesOf(world).flatMap((takenMinor) => {
        const item = itemOf(shown, { by: "terminal", receivedAt, word: { till, acceptedAt, takenMinor } });
        const when = acceptedAt === receivedAt ? "" : `, dated ${receivedAt - acceptedAt} s back`;
        return item === undefined
          ? []
          : bringing(state, [item], `${says} ${takenMinor} of payment ${index}${when}`, setting);
      }),
    );
  });
}
