import { type AccountNumber, openHold, overdueOf, partitionOf } from "@cairn/issue";
import type { Currency, PayeeId } from "@cairn/messages";
import {
  decideOnlinePayment,
  decideTransfer,
  decideWithdrawal,
  type LedgerEntry,
  type OnlineFunds,
  type Ordered,
  onlinePaymentReference,
  transferArrival,
  transferArrivalReference,
  withdrawalReference,
} from "@cairn/settle";
import type { IssuerStore, MovementAccount, MovementDecision } from "@cairn/stores";
import type { Clock } from "../clock.ts";
import type { PolicySource } from "../policy/policy-source.ts";
import { ServiceError } from "./service-error.ts";

export type MoneyContext = {
  readonly store: IssuerStore;
  readonly clock: Clock;
  readonly policies: PolicySource;
};
export type MoneyOrder = {
  readonly account: AccountNumber;
  readonly amountMinor: bigint;
  readonly idempotencyKey: string;
};
export type Moved = "posted" | "repeated";

/** @throws ServiceError IDEMPOTENCY_KEY_REUSED and the refusals of online money. */
export async function withdraw(order: MoneyOrder, context: MoneyContext): Promise<Moved> {
  const { account } = order;
  const at = context.clock.nowSeconds();
  const reference = withdrawalReference(account, order.idempotencyKey);
  const answer = await context.store.move(
    { partition: partitionOf(account), accounts: [account], references: [reference] },
    (view) => {
      const earlier = view.entry(reference);
      if (earlier !== undefined) return again(debitOf(earlier) === order.amountMinor);
      return posted(decideWithdrawal({ ...order, funds: fundsOf(view.account(account), context, at), at }));
    },
  );
  return movedOf(answer);
}

/** Balance first, then credit; the payee is credited at once. @throws ServiceError as `withdraw`. */
export async function payOnline(
  order: MoneyOrder & { readonly payeeId: PayeeId },
  context: MoneyContext,
): Promise<Moved> {
  const { account, payeeId } = order;
  const payee = await context.store.payee(payeeId);
  if (payee === undefined) throw new ServiceError("PAYEE_UNKNOWN");
  const at = context.clock.nowSeconds();
  const reference = onlinePaymentReference(account, order.idempotencyKey);
  const answer = await context.store.move(
    { partition: partitionOf(account), accounts: [account], references: [reference] },
    (view) => {
      const earlier = view.entry(reference);
      if (earlier !== undefined) {
        const isSame = earlier.postings.some(
          ({ ledgerAccount, minor }) =>
            ledgerAccount.kind === "clearing" && ledgerAccount.payeeId === payeeId && minor === -order.amountMinor,
        );
        return again(isSame);
      }
      return posted(decideOnlinePayment({ ...order, funds: fundsOf(view.account(account), context, at), payee, at }));
    },
  );
  return movedOf(answer);
}

type TransferRecord = {
  readonly from: AccountNumber;
  readonly to: AccountNumber;
  readonly key: string;
  readonly amountMinor: string;
  readonly currency: Currency;
};

/**
 * Between accounts of two partitions money leaves in one transaction and arrives in another. What left and did not
 * arrive, because the server stopped between them, is brought home by the next call with the key and by housekeeping.
 * @throws ServiceError as `withdraw`.
 */
export async function transfer(
  order: MoneyOrder & { readonly to: AccountNumber },
  context: MoneyContext,
): Promise<Moved> {
  const { account, to, idempotencyKey } = order;
  const target = await context.store.account(to);
  if (target === undefined) throw new ServiceError("ACCOUNT_UNKNOWN");
  const at = context.clock.nowSeconds();
  const places = { from: partitionOf(account), to: partitionOf(to) };
  const isAcross = places.from !== places.to;
  const id = `${account}:${idempotencyKey}`;
  const answer = await context.store.move(
    { partition: places.from, accounts: [account], records: [{ kind: "transfer", id }] },
    (view) => {
      const written = view.record({ kind: "transfer", id });
      if (written !== undefined) {
        const earlier = readTransfer(written);
        return again(earlier.to === to && earlier.amountMinor === order.amountMinor.toString());
      }
      const funds = fundsOf(view.account(account), context, at);
      const decided = decideTransfer({ ...order, funds, to: target, transit: isAcross ? places : undefined, at });
      const { currency } = target;
      const record: TransferRecord = {
        from: account,
        to,
        key: idempotencyKey,
        amountMinor: order.amountMinor.toString(),
        currency,
      };
      const body = JSON.stringify(record);
      const records = [
        { kind: "transfer" as const, id, body },
        ...(isAcross ? [{ kind: "open-transfer" as const, id, body }] : []),
      ];
      return "refusal" in decided ? posted(decided) : { ...posted(decided), records };
    },
  );
  const moved = movedOf(answer);
  if (isAcross) {
    const amountMinor = order.amountMinor.toString();
    await arrive({ from: account, to, key: idempotencyKey, amountMinor, currency: target.currency }, context);
  }
  return moved;
}

/** Brings home what left a partition and did not arrive. Gives how many transfers. */
export async function finishTransfers(context: Omit<MoneyContext, "policies">): Promise<number> {
  const open = await context.store.operationRecords("open-transfer");
  for (const { body } of open) await arrive(readTransfer(body), context);
  return open.length;
}

async function arrive(record: TransferRecord, { store, clock }: Omit<MoneyContext, "policies">): Promise<void> {
  const { from, to, key, currency } = record;
  const transit = { from: partitionOf(from), to: partitionOf(to) };
  const reference = transferArrivalReference(from, key);
  const amountMinor = BigInt(record.amountMinor);
  const at = clock.nowSeconds();
  await store.move({ partition: transit.to, references: [reference] }, (view) => ({
    result: undefined,
    entries:
      view.entry(reference) === undefined
        ? [transferArrival({ from, to, currency, amountMinor, idempotencyKey: key, transit, at })]
        : [],
  }));
  await store.move({ partition: transit.from }, () => ({
    result: undefined,
    records: [{ kind: "open-transfer", id: `${from}:${key}`, body: undefined }],
  }));
}

/** As this module wrote it. */
const readTransfer = (body: string): TransferRecord => JSON.parse(body);

type Answer = Moved | "key-reused" | Ordered;

const again = (isSame: boolean): MovementDecision<Answer> => ({ result: isSame ? "repeated" : "key-reused" });
const posted = (decided: Ordered): MovementDecision<Answer> =>
  "refusal" in decided ? { result: decided } : { result: "posted", entries: [decided.entry] };

function movedOf(answer: Answer): Moved {
  if (answer === "key-reused") throw new ServiceError("IDEMPOTENCY_KEY_REUSED");
  if (typeof answer === "string") return answer;
  if ("refusal" in answer) throw new ServiceError(answer.refusal);
  return "posted";
}

const debitOf = (entry: LedgerEntry): bigint =>
  entry.postings.reduce((sumMinor, { minor }) => (minor > 0n ? sumMinor + minor : sumMinor), 0n);

export function fundsOf(
  { record, certificates }: MovementAccount,
  { policies }: Pick<MoneyContext, "policies">,
  now: number,
): OnlineFunds {
  const { account, currency, status, balanceMinor, credit } = record;
  return {
    account,
    currency,
    status,
    balanceMinor,
    creditLineMinor: credit.lineMinor,
    creditUsedMinor: credit.usedMinor,
    overdueMinor: overdueOf(credit, now),
    heldMinor: openHold(certificates, policies.at(now).policy, now),
  };
}
