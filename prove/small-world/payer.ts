import { chainHashOf, type MessageId, type OpenPayment, type Payment } from "@cairn/messages";
import {
  type Counter,
  DEFAULT_CLOSING_POLICY,
  decideClosing,
  decideOpenPayment,
  decidePayment,
  type PaymentWanted,
} from "@cairn/pay";
import type { Step } from "./breadth-first.ts";
import {
  type Asked,
  askedFor,
  idOf,
  OPEN_SECONDS,
  REQUEST_SECONDS,
  type Shown,
  shownOpen,
  shownPayment,
} from "./cast.ts";
import { closingOf, withClosing } from "./closings.ts";
import { nowOf, type Setting, step } from "./setting.ts";
import { type Image, isShown, type State } from "./state.ts";
import { thiefSteps } from "./thief.ts";

type Steps = readonly Step<State>[];

/** What the payer's device, its copies and whoever has its key can do. */
export function payerSteps(state: State, setting: Setting): Steps {
  const { world } = setting;
  const mayPay = state.shown.length + state.images.filter(({ drawer }) => drawer !== undefined).length < world.payments;
  // Whoever has the key can sign all that the device would.
  if (world.keyIsOut) return thiefSteps(state, mayPay, setting);
  return state.images.flatMap((image, index) => [
    ...(state.images.length < (world.images ?? 1)
      ? [step(state, `the device is copied, as image ${index} is now`, { images: [...state.images, image] })]
      : []),
    ...(mayPay ? [...paying(state, index, setting), ...opening(state, index, setting)] : []),
    ...answeringAgain(state, index, mayPay, setting),
    ...takingUp(state, index),
    ...((world.certificates ?? 1) > 1 ? closing(state, index, setting) : []),
  ]);
}

const viewOf = ({ held }: Image) =>
  held.map(({ certificate, counter, closed }) => ({
    certificate: certificate.content,
    counter,
    closed,
    revoked: false,
  }));

/** Every request that can be made now or was made a moment ago, paid by the wallet's own decision. */
function paying(state: State, index: number, setting: Setting): Steps {
  const { world, tills } = setting;
  const now = nowOf(setting, state);
  return tills.flatMap((till) =>
    (world.amounts ?? [1n, 2n]).flatMap((amountMinor) =>
      setting.times.slice(0, state.now + 1).flatMap((issuedAt) => {
        if (issuedAt + REQUEST_SECONDS < now && issuedAt !== now) return [];
        const asked = askedFor(till, { number: state.asked, amountMinor, issuedAt });
        const when = issuedAt === now ? "" : ` made ${now - issuedAt} s before`;
        const says = `image ${index} pays a request of ${amountMinor} at till ${till.index}${when}`;
        return [
          ...payingOf(state, { index, asked, says, setting }),
          ...(world.consents ? payingAgainstConsent(state, { index, asked, setting }) : []),
        ];
      }),
    ),
  );
}

type Paying = { readonly index: number; readonly asked: Asked; readonly setting: Setting };

function payingOf(state: State, { index, asked, says, setting }: Paying & { readonly says: string }): Steps {
  const decision = decide(state, { index, asked, setting });
  if (decision?.kind !== "pay") return [];
  return afterPaying(state, { index, content: decision.content, asked, says, count: state.asked + 1, setting });
}

/** What was agreed to differs from the request in one point: nothing may come of it. */
function payingAgainstConsent(state: State, { index, asked, setting }: Paying): Steps {
  const { payeeId } = asked.till.certificate.content;
  const { amountMinor } = asked.request.content;
  const requestId = asked.request.messageId;
  const stranger = setting.tills.find(({ certificate }) => certificate.content.payeeId !== payeeId)?.certificate
    .content;
  const others: readonly PaymentWanted["consent"][] = [
    { requestId, payeeId, amountMinor: amountMinor - 1n },
    ...(stranger === undefined ? [] : [{ requestId, payeeId: stranger.payeeId, amountMinor }]),
    { requestId: "0".repeat(64) as MessageId, payeeId, amountMinor },
  ];
  return others.flatMap((consent) => {
    const decision = decide(state, { index, asked, setting }, consent);
    if (decision?.kind !== "pay") return [];
    const says = `image ${index} pays ${amountMinor} at till ${asked.till.index}, though something else was agreed to`;
    const agreedMinor = 0n;
    return afterPaying(state, {
      index,
      content: decision.content,
      asked,
      says,
      count: state.asked + 1,
      agreedMinor,
      setting,
    });
  });
}

function decide(state: State, { index, asked, setting }: Paying, agreed?: PaymentWanted["consent"]) {
  const image = state.images[index];
  if (image === undefined) return undefined;
  const requestId = asked.request.messageId;
  const request = asked.request.content;
  const payeeCertificate = asked.till.certificate.content;
  const earlier = state.shown.find((one) => one.kind === "payment" && one.asked === asked) ?? image.drawer;
  const isAnswered = image.answered.includes(requestId) && earlier !== undefined;
  return decidePayment(
    {
      held: viewOf(image),
      earlier: isAnswered ? { paymentId: idOf(earlier), voided: false, released: false } : undefined,
    },
    {
      request,
      requestId,
      payeeCertificate,
      consent: agreed ?? { requestId, payeeId: payeeCertificate.payeeId, amountMinor: request.amountMinor },
      now: nowOf(setting, state),
    },
  );
}

/** Counter and payment are one record: what a wallet's store makes of the decision. */
function afterPaying(
  state: State,
  about: Paying & {
    readonly content: Payment;
    readonly says: string;
    readonly count: number;
    readonly agreedMinor?: bigint;
  },
): Steps {
  const { index, content, asked, says, count, setting } = about;
  const its = heldOf(state, index, content);
  const { agreedMinor } = about;
  const shown = shownPayment(content, {
    certificate: its.certificate,
    asked,
    ...(agreedMinor === undefined ? {} : { agreedMinor }),
  });
  const answered = asked.request.messageId;
  return made(state, { index, shown, answered, changes: { asked: count }, says, setting });
}

/** A request that was answered is held in front of the device again, and in front of a copy of it. */
function answeringAgain(state: State, index: number, mayPay: boolean, setting: Setting): Steps {
  const drawer = state.images[index]?.drawer;
  return (mayPay ? [...state.shown, ...(drawer === undefined ? [] : [drawer])] : []).flatMap((one) => {
    if (one.kind !== "payment") return [];
    const decision = decide(state, { index, asked: one.asked, setting });
    if (decision?.kind !== "pay") return [];
    const says = `image ${index} pays the request of payment ${state.shown.indexOf(one)} as well`;
    return afterPaying(state, {
      index,
      content: decision.content,
      asked: one.asked,
      says,
      count: state.asked,
      setting,
    });
  });
}

function opening(state: State, index: number, setting: Setting): Steps {
  const { world, tills } = setting;
  const image = state.images[index];
  if (image === undefined || world.maxima === undefined) return [];
  const payees = new Set(tills.map(({ certificate }) => certificate.content.payeeId));
  const audiences = world.audience ? [undefined, ...payees] : [undefined];
  return world.maxima.flatMap((minor) =>
    audiences.flatMap((audience) => {
      const maximum = { currency: image.held[0]?.certificate.content.terms.currency ?? ("EUR" as never), minor };
      const wanted = { maximum, audience, validitySeconds: OPEN_SECONDS, now: nowOf(setting, state) };
      const decision = decideOpenPayment({ held: viewOf(image), unshown: [] }, wanted);
      if (decision.kind !== "pay") return [];
      const shown = shownOpen(decision.content, heldOf(state, index, decision.content).certificate);
      const says = `image ${index} makes an open payment of at most ${minor}${audience === undefined ? "" : ` for ${audience}`}`;
      return made(state, { index, shown, says, changes: {}, setting });
    }),
  );
}

/** The payment is durable with the counter; shown at once, or after a stop in between. */
function made(
  state: State,
  about: {
    readonly index: number;
    readonly shown: Shown;
    readonly answered?: MessageId;
    readonly changes: Partial<State>;
    readonly says: string;
    readonly setting: Setting;
  },
): Steps {
  const { index, shown, answered, changes, says, setting } = about;
  const image = state.images[index];
  if (image === undefined || isShown(state, shown)) return [];
  const after = (unsignedPayments: number): Image => ({
    ...image,
    held: image.held.map((held) =>
      held.certificate === shown.certificate ? { ...held, counter: counterAfter(shown, unsignedPayments) } : held,
    ),
    answered: answered === undefined ? image.answered : [...image.answered, answered],
  });
  return [
    step(state, says, { ...changes, images: state.images.with(index, after(0)), shown: [...state.shown, shown] }),
    ...(setting.world.crashes && image.drawer === undefined
      ? [
          step(state, `${says}, and stops before it is signed`, {
            ...changes,
            images: state.images.with(index, { ...after(1), drawer: shown }),
          }),
        ]
      : []),
  ];
}

/** After the stop, the same payment is signed and shown. */
function takingUp(state: State, index: number): Steps {
  const image = state.images[index];
  const shown = image?.drawer;
  if (image === undefined || shown === undefined) return [];
  const held = image.held.map((each) =>
    each.certificate === shown.certificate ? { ...each, counter: { ...each.counter, unsignedPayments: 0 } } : each,
  );
  return [
    step(state, `image ${index} starts again and shows the payment that it had stored`, {
      images: state.images.with(index, { ...image, held, drawer: undefined }),
      shown: isShown(state, shown) ? state.shown : [...state.shown, shown],
    }),
  ];
}

function counterAfter({ payment }: Shown, unsignedPayments: number): Counter {
  const { sequence, spentMinor } = payment.content;
  return { sequence, spentMinor, previous: chainHashOf(payment.messageId), unsignedPayments };
}

/** The wallet closes a certificate to get another one: signed now, brought whenever. */
function closing(state: State, index: number, setting: Setting): Steps {
  const image = state.images[index];
  if (image === undefined) return [];
  const now = nowOf(setting, state);
  return viewOf(image).flatMap((held, number) => {
    const decision = decideClosing(held, { now, asked: true, isTrusted: true, policy: DEFAULT_CLOSING_POLICY });
    if (decision.kind !== "close") return [];
    const { certificateId, sequence, spentMinor } = decision.content;
    const after = { ...image, held: image.held.map((each, at) => (at === number ? { ...each, closed: true } : each)) };
    return [
      step(state, `image ${index} closes certificate ${number} at ${spentMinor}`, {
        images: state.images.with(index, after),
        closings: withClosing(state, closingOf(certificateId, sequence, spentMinor)),
      }),
    ];
  });
}

function heldOf(state: State, index: number, { certificateId }: Payment | OpenPayment) {
  const held = state.images[index]?.held.find(({ certificate }) => certificate.content.certificateId === certificateId);
  if (held === undefined) throw new Error("A payment under a certificate that is not held.");
  return held;
}
