import { type Currency, formatMinor } from "@cairn/messages";
import type { Explanation } from "../../api/policy-api.ts";
import { table } from "../printer.ts";

type Explained = Pick<
  Explanation["devices"][number],
  "conditions" | "refusals" | "lines" | "heldMinor" | "validitySeconds"
>;

/** What a device would be given and why, as people read it: conditions (+), refusals (!), and the reckoning. */
export function explanationLines(explained: Explained, currency: Currency): readonly string[] {
  const { conditions, refusals, lines, heldMinor, validitySeconds } = explained;
  const money = (minor: bigint): string => formatMinor(minor, currency);
  const met = conditions.filter((condition) => condition.met);
  return [
    ...met.filter(({ enabled }) => enabled).map(({ code, sentence }) => `+ ${code}: ${sentence}`),
    ...met.filter(({ enabled }) => !enabled).map(({ code }) => `- ${code} is there, but switched off`),
    ...refusals.map(({ code, sentence }) => `! ${code}: ${sentence}`),
    ...table(
      lines.map(({ label, minor, note }) => [label, money(minor), note]),
      [1],
    ),
    `${money(heldMinor)} of it held on the balance; valid for ${validitySeconds / 86_400} days`,
  ];
}
