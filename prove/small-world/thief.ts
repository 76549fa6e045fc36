import { chainHashOf, type OpenPayment, type Payment, requestHashOf } from "@cairn/messages";
import type { Step } from "./breadth-first.ts";
import { askedFor, idOf, OPEN_SECONDS, rootOf, shownOpen, shownPayment } from "./cast.ts";
import { closingOf, withClosing } from "./closings.ts";
import { nowOf, type Setting, step } from "./setting.ts";
import { isShown, type State } from "./state.ts";

type Steps = readonly Step<State>[];

/** What can be done with the device's key alone. */
export const thiefSteps = (state: State, mayPay: boolean, setting: Setting): Steps => [
  ...(mayPay ? forging(state, setting) : []),
  ...forgedClosings(state, setting),
];

/** Whoever has the key signs any number and any running total, for any till. */
function forging(state: State, setting: Setting): Steps {
  const { world, tills } = setting;
  const now = nowOf(setting, state);
  return state.issuer.issued.flatMap(({ certificate, number }) => {
    const { certificateId, terms } = certificate.content;
    const links = (world.forgedNumbers ?? [1, 2]).flatMap((sequence) =>
      [1n, 2n, 3n]
        .filter((spentMinor) => spentMinor <= terms.limitMinor)
        .map((spentMinor) => ({ sequence, spentMinor })),
    );
    return links.flatMap(({ sequence, spentMinor }) => {
      const before = state.shown.find(
        (one) => one.certificate === certificate && one.payment.content.sequence === sequence - 1,
      );
      const previous = before === undefined ? rootOf(certificate) : chainHashOf(idOf(before));
      const common = { certificateId, sequence, spentMinor, previous, issuedAt: now };
      const name = `the thief signs number ${sequence} of certificate ${number} with ${spentMinor} spent`;
      const twoWay = (world.amounts ?? [1n, 2n]).flatMap((amountMinor) =>
        tills.flatMap((till) => {
          const asked = askedFor(till, { number: state.asked, amountMinor, issuedAt: now });
          const content: Payment = { ...common, amountMinor, requestHash: requestHashOf(asked.request.messageId) };
          const shown = shownPayment(content, { certificate, asked });
          const says = `${name}, ${amountMinor} for till ${till.index}`;
          return [step(state, says, { asked: state.asked + 1, shown: [...state.shown, shown] })];
        }),
      );
      const open = (world.maxima ?? []).flatMap((amountMinor) => {
        const content: OpenPayment = { ...common, amountMinor, expiresAt: now + OPEN_SECONDS };
        const shown = shownOpen(content, certificate);
        if (isShown(state, shown)) return [];
        return [step(state, `${name}, open, at most ${amountMinor}`, { shown: [...state.shown, shown] })];
      });
      return [...twoWay, ...open];
    });
  });
}

/** Also that nothing was ever spent. */
function forgedClosings(state: State, { world }: Setting): Steps {
  if ((world.certificates ?? 1) === 1) return [];
  return state.issuer.issued.flatMap(({ certificate, number }) =>
    [
      { sequence: 0, spentMinor: 0n },
      { sequence: 1, spentMinor: 1n },
    ].flatMap(({ sequence, spentMinor }) => {
      const closings = withClosing(state, closingOf(certificate.content.certificateId, sequence, spentMinor));
      if (closings === state.closings) return [];
      return [step(state, `the thief closes certificate ${number} at ${spentMinor}`, { closings })];
    }),
  );
}
