import type { IssuingPolicy } from "@cairn/issue";
import type { Step } from "./breadth-first.ts";
import { makeLists, NOW, type Till, tillsOf } from "./cast.ts";
import { policyOf } from "./policy.ts";
import { Issuers, type State } from "./state.ts";
import type { SmallWorld } from "./world.ts";

/** A world with everything that does not change in it. */
export type Setting = {
  readonly world: SmallWorld;
  readonly tills: readonly Till[];
  /** Of each moment, seconds since 1970. */
  readonly times: readonly number[];
  readonly policy: IssuingPolicy;
  readonly issuers: Issuers;
};

/** Where lists do not matter none is ever too old. */
const NEVER_STALE_SECONDS = 300 * 86_400;

export async function settingOf(world: SmallWorld): Promise<Setting> {
  const times = (world.moments ?? [0]).map((seconds) => NOW + seconds);
  await makeLists(times, world.certificates ?? 1);
  return {
    world,
    tills: await tillsOf(world.tills, world.maximumOfflineSeconds ?? NEVER_STALE_SECONDS),
    times,
    policy: policyOf(world.releasedPercent ?? 100),
    issuers: new Issuers(),
  };
}

export function timeOf({ times }: Setting, moment: number): number {
  const time = times[moment];
  if (time === undefined) throw new Error("There is no such moment.");
  return time;
}

export const nowOf = (setting: Setting, state: State): number => timeOf(setting, state.now);
export const step = (state: State, says: string, changes: Partial<State>): Step<State> => ({
  says,
  state: { ...state, ...changes },
});
