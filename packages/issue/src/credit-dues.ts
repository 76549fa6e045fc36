import { atLeastZero, largerOf, smallerOf } from "./minor-arithmetic.ts";
import type { CreditDue, CreditView } from "./model.ts";

/**
 * Repayment of built-in credit, as a card's: a statement at the end of each period asks for all that is used and was
 * not asked for before, due some time later. What comes in repays the oldest first. Interest is not part of it.
 */

/**
 * What should have been repaid by now, minor units. The operator's or bureau's word and our own statements are about
 * the same debt, so the larger of them counts; and nobody owes more than is used, unless the bureau says so.
 */
export function overdueOf(credit: Pick<CreditView, "overdueMinor" | "dues" | "usedMinor">, now: number): bigint {
  const { overdueMinor, dues, usedMinor } = credit;
  const pastMinor = dues.reduce((sumMinor, { dueAt, minor }) => (now > dueAt ? sumMinor + minor : sumMinor), 0n);
  return largerOf(overdueMinor, smallerOf(pastMinor, usedMinor));
}

/** The dues once a statement is closed at `at`: with a new one for what is used and no statement asked for before. */
export function duesAfterStatement(
  { dues, usedMinor }: Pick<CreditView, "dues" | "usedMinor">,
  { at, dueAfterSeconds }: { readonly at: number; readonly dueAfterSeconds: number },
): readonly CreditDue[] {
  const askedMinor = dues.reduce((sumMinor, { minor }) => sumMinor + minor, 0n);
  const minor = atLeastZero(usedMinor - askedMinor);
  return minor === 0n ? dues : [...dues, { dueAt: at + dueAfterSeconds, minor }];
}

/** What is overdue and due once `repaidMinor` of used credit is repaid: the oldest is paid first. */
export function afterRepayment(
  { overdueMinor, dues }: Pick<CreditView, "overdueMinor" | "dues">,
  repaidMinor: bigint,
): Pick<CreditView, "overdueMinor" | "dues"> {
  const left: CreditDue[] = [];
  let restMinor = repaidMinor;
  for (const { dueAt, minor } of dues) {
    const paidMinor = smallerOf(minor, restMinor);
    restMinor -= paidMinor;
    if (minor > paidMinor) left.push({ dueAt, minor: minor - paidMinor });
  }
  return { overdueMinor: atLeastZero(overdueMinor - repaidMinor), dues: left };
}
