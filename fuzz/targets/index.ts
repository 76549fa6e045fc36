import type { Target } from "../target.ts";
import { decoderTargets } from "./decoders.ts";
import { openHttpDevice } from "./http-device.ts";
import { openHttpOperator } from "./http-operator.ts";
import { openHttpRaw } from "./http-raw.ts";
import { openHttpUpload } from "./http-upload.ts";
import { situationTargets } from "./situations.ts";
import { transportTargets } from "./transport.ts";

/** `share` says how much of the time a target gets: those that wait for a server need more. */
export type ListedTarget = { readonly name: string; readonly share: number; open(): Promise<Target> };

const listed = (target: Target): ListedTarget => ({ name: target.name, share: 1, open: async () => target });

export const allTargets: readonly ListedTarget[] = [
  ...[...decoderTargets, ...situationTargets, ...transportTargets].map(listed),
  { name: "http-device", share: 4, open: openHttpDevice },
  { name: "http-upload", share: 2, open: openHttpUpload },
  { name: "http-operator", share: 4, open: openHttpOperator },
  { name: "http-raw", share: 2, open: openHttpRaw },
];
