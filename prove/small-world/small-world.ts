import type { Space, Step } from "./breadth-first.ts";
import { payersCopies } from "./bringing.ts";
import { rootOf } from "./cast.ts";
import { Issuer } from "./issuer.ts";
import { payeeSteps } from "./payee.ts";
import { payerSteps } from "./payer.ts";
import { brokenIn } from "./promises.ts";
import { nowOf, type Setting, settingOf, step, timeOf } from "./setting.ts";
import { type Held, keyOf, type State } from "./state.ts";
import type { SmallWorld } from "./world.ts";

/**
 * Everything that can happen in a small world, by the code that ships: the wallet's decisions to pay and to close, the
 * terminal's to accept, capture and give up, the issuer's to settle, to give back, to renew and to let money go. One
 * step is one thing that one party does, at once and durably. Messages are real, signatures are taken for verified.
 */
export async function smallWorld(world: SmallWorld): Promise<Space<State>> {
  const setting = await settingOf(world);
  return {
    start: startOf(setting),
    key: (state) => keyOf(state, setting.issuers),
    next: (state) => [
      ...payerSteps(state, setting),
      ...payeeSteps(state, setting),
      ...payersCopies(state, setting),
      ...issuerSteps(state, setting),
      ...(state.now + 1 < setting.times.length ? [timeGoesOn(state, setting)] : []),
    ],
    broken: (state) => brokenIn(state, setting),
  };
}

function startOf(setting: Setting): State {
  const now = timeOf(setting, 0);
  const issuer = Issuer.first(now);
  return {
    now: 0,
    images: [{ held: issuer.issued.map(heldOf), drawer: undefined, answered: [] }],
    asked: 0,
    shown: [],
    tills: setting.tills.map(() => ({ accepted: [], voided: [], listAt: now, listed: 0 })),
    closings: [],
    issuer,
  };
}

const heldOf = ({ certificate }: Pick<Held, "certificate">): Held => ({
  certificate,
  counter: { sequence: 0, spentMinor: 0n, previous: rootOf(certificate), unsignedPayments: 0 },
  closed: false,
});

function timeGoesOn(state: State, setting: Setting): Step<State> {
  const seconds = timeOf(setting, state.now + 1) - nowOf(setting, state);
  return step(state, `${seconds} s go by`, { now: state.now + 1 });
}

function issuerSteps(state: State, setting: Setting): readonly Step<State>[] {
  const { world, policy, issuers } = setting;
  const { issuer } = state;
  const now = nowOf(setting, state);
  const to = (after: Issuer, says: string): Step<State>[] =>
    after === issuer || after.key === issuer.key ? [] : [step(state, says, { issuer: issuers.one(after) })];
  const steps = [
    ...to(issuer.releaseDue(now), "the issuer gives back what is due"),
    ...state.closings.flatMap((closing) =>
      to(
        issuer.hearClosing(closing.certificateId, closing, now),
        `the payer brings the closing at ${closing.spentMinor}`,
      ),
    ),
  ];
  if (world.maximumOfflineSeconds !== undefined)
    for (const { certificate, number } of issuer.issued)
      steps.push(
        ...to(issuer.revoke(certificate.content.certificateId, now), `the operator withdraws certificate ${number}`),
      );
  if (world.withdrawals) {
    const after = issuer.withdraw(policy, now);
    if (after !== undefined) steps.push(...to(after, "the account's owner draws 1"));
  }
  if (issuer.issued.length < (world.certificates ?? 1)) {
    const renewed = issuer.issue(policy, now);
    if (renewed !== undefined) {
      const { limitMinor } = renewed.certificate.content.terms;
      // Whoever has the device's key can fetch it.
      const images = state.images.map((image) => ({ ...image, held: [...image.held, heldOf(renewed)] }));
      const says = `the issuer gives another certificate, of ${limitMinor}`;
      steps.push(step(state, says, { issuer: issuers.one(renewed.issuer), images }));
    }
  }
  return steps;
}
