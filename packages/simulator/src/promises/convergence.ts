import { partitionOf } from "@cairn/issue";
import type { MessageId } from "@cairn/messages";
import type { World } from "../economy/world.ts";
import { money } from "../story.ts";
import { stillOwed } from "./issuing-watch.ts";
import type { AcceptedPayment } from "./truth.ts";
import type { Violation } from "./violation.ts";

/** A payment that two terminals took is the price of a copied code or phone. */
const MAY_BE_HELD: ReadonlySet<string> = new Set(["PAYEE_CEILING_REACHED"]);

/** What must be true when faults have stopped, everybody was online again and all deadlines have passed. */
export async function* whatIsStillWrong(world: World): AsyncIterable<Violation> {
  const { store, truth, watch } = world;
  const waiting = await store.waitingRecords();
  if (waiting > 0) yield { promise: 2, says: `${waiting} uploaded records were never settled` };
  const { faults } = await store.verifyBooks();
  for (const fault of faults) yield { promise: 1, says: fault };
  const sums = new Map<string, bigint>();
  for (const { ledgerAccount, currency, minor } of await store.trialBalance()) {
    sums.set(currency, (sums.get(currency) ?? 0n) + minor);
    if (watch.balance(ledgerAccount) !== minor)
      yield {
        promise: 1,
        says: `${ledgerAccount} is ${money(minor)}, and its postings were ${money(watch.balance(ledgerAccount))}`,
      };
  }
  for (const { ledgerAccount, minor } of await store.trialBalance())
    if (ledgerAccount.startsWith("transit:") && minor !== 0n)
      yield { promise: 1, says: `${money(-minor)} left an account and never arrived (${ledgerAccount})` };
  for (const payeeId of truth.receivers.keys())
    for (const kind of ["clearing", "payee"] as const) {
      const minor = watch.balance(`${kind}:${payeeId}`);
      if (minor !== 0n) yield { promise: 1, says: `${money(-minor)} that a wallet was paid never reached its account` };
    }
  for (const [currency, minor] of sums)
    if (minor !== 0n) yield { promise: 1, says: `all entries in ${currency} sum to ${money(minor)}` };
  for (const [paymentId, acceptances] of truth.accepted) {
    if (truth.disowned.has(paymentId)) continue;
    if (truth.underForged.has(paymentId)) {
      yield* whatBecameOfForged(world, paymentId, acceptances);
      continue;
    }
    const made = truth.payments.get(paymentId);
    for (const acceptance of acceptances) {
      const { terminalId, payeeId, terminal, isGuaranteed, isOpen, takenMinor } = acceptance;
      if (!isGuaranteed || takenMinor === undefined || truth.evilTerminals.has(terminalId)) continue;
      const [outcome] = await store.outcomes([paymentId], { payeeId, terminalId });
      if (outcome?.state === "settled") continue;
      // It was on a phone that was lost before it came home, and so is what the payer gave for it.
      if (truth.goneReceivers.has(terminalId) && outcome?.state !== "refused") continue;
      const isLate = outcome?.code === "UPLOAD_TOO_LATE" && watch.isBroughtTooLate(paymentId, acceptance);
      const isCopied = isOpen && acceptances.length > 1;
      const isBlamed = made !== undefined && truth.dishonest.has(made.account);
      if (outcome?.state === "held" && (isLate || isCopied || (isBlamed && MAY_BE_HELD.has(outcome.code ?? ""))))
        continue;
      const became = outcome === undefined ? "was never heard of" : `is ${outcome.state} (${outcome.code})`;
      yield {
        promise: outcome?.state === "refused" ? 6 : 2,
        says: `${terminal} accepted ${money(takenMinor)} of ${made?.by ?? "nobody"} by the rules, and it ${became}`,
      };
    }
  }
  for (const certificateId of watch.creditedCertificates())
    for (const { paymentId, state } of await store.outcomesOfCertificate(certificateId))
      if (watch.hasSettled(paymentId) && state !== "settled")
        yield { promise: 2, says: `a payment of ${truth.payments.get(paymentId)?.by} was paid, and is ${state} now` };
  for (const reference of truth.refunded) {
    const made = truth.payments.get(truth.refunds.get(reference)?.paymentId as MessageId);
    if (made === undefined || !watch.hasPosted(partitionOf(made.account), reference))
      yield { promise: 1, says: `a till was told that it gave back ${reference}, which the books do not know` };
  }
  yield* overexposed(world);
}

/** What was accepted under a certificate that nobody issued is refused, where it was brought: neither paid nor lost. */
async function* whatBecameOfForged(
  { store, truth }: World,
  paymentId: MessageId,
  acceptances: readonly AcceptedPayment[],
): AsyncIterable<Violation> {
  for (const { terminalId, payeeId, terminal } of acceptances) {
    if (truth.goneReceivers.has(terminalId) || truth.evilTerminals.has(terminalId)) continue;
    const [outcome] = await store.outcomes([paymentId], { payeeId, terminalId });
    if (outcome?.state !== "refused")
      yield { promise: 2, says: `what ${terminal} took under a forged certificate is ${outcome?.state ?? "lost"}` };
  }
}

/** Whoever is honest may spend offline at most what is there: so the reserve is never touched for them. */
export async function* overexposed(world: World): AsyncIterable<Violation> {
  const { store, truth } = world;
  for (const { owner, name } of world.wallets.values()) {
    const { account } = owner;
    const its = await store.account(account);
    if (its === undefined || truth.dishonest.has(account)) continue;
    const { balanceMinor, credit } = its;
    const now = world.issuer.nowSeconds();
    let exposureMinor = 0n;
    for (const certificate of await store.certificatesOf(account))
      exposureMinor += stillOwed(certificate, world.policy.uploadDeadlineSeconds, now);
    if (exposureMinor > balanceMinor + credit.lineMinor - credit.usedMinor)
      yield { promise: 5, says: `${name} may spend ${money(exposureMinor)} offline, which is more than it has` };
  }
}
