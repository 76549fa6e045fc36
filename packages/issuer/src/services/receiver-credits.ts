import { type AccountNumber, accountNumber, partitionOf } from "@cairn/issue";
import { type Currency, isPayeeId, type PayeeId } from "@cairn/messages";
import { receivedEntry } from "@cairn/settle";
import type { IssuerStore } from "@cairn/stores";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Clock } from "../clock.ts";
import type { Logger } from "./logger.ts";
import { sweepPayees } from "./payouts/sweep.ts";

const Receiver = Type.Object({ account: Type.Integer(), moves: Type.Integer() });
type Receiver = Static<typeof Receiver>;

export type CreditsContext = {
  readonly store: IssuerStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onCredited: (account: AccountNumber) => void;
};

/**
 * Brings what people were paid into their accounts: out of clearing into the payee's own account, and from there, in the
 * same partition, into the person's. May be asked at any time and by many at once: it moves what is there. Gives how
 * many accounts were credited.
 */
export async function creditReceivers(context: CreditsContext): Promise<number> {
  const { store } = context;
  const receivers = new Map<PayeeId, string>();
  for (const { id, body } of await store.operationRecords("receiver")) if (isPayeeId(id)) receivers.set(id, body);
  if (receivers.size === 0) return 0;
  await sweepPayees(context, (payeeId) => receivers.has(payeeId));
  let credited = 0;
  for (const { ledgerAccount, currency, minor } of await store.ledgerBalances("payee")) {
    if (ledgerAccount.kind !== "payee" || minor >= 0n) continue;
    const receiver = receivers.get(ledgerAccount.payeeId);
    if (receiver === undefined) continue;
    const account = accountNumber(readReceiver(receiver).account);
    if (!(await creditOne({ payeeId: ledgerAccount.payeeId, account, currency }, context))) continue;
    credited++;
    context.onCredited(account);
  }
  return credited;
}

type Place = { readonly payeeId: PayeeId; readonly account: AccountNumber; readonly currency: Currency };

function creditOne(place: Place, { store, clock }: CreditsContext): Promise<boolean> {
  const { payeeId, account, currency } = place;
  const own = { kind: "payee", payeeId } as const;
  const record = { kind: "receiver", id: payeeId } as const;
  const input = { partition: partitionOf(account), accounts: [account], balances: [own], records: [record] };
  return store.move(input, (view) => {
    const amountMinor = -view.balance(own, currency);
    if (amountMinor <= 0n) return { result: false };
    const moves = readReceiver(view.record(record) ?? "").moves + 1;
    const creditUsedMinor = view.account(account).record.credit.usedMinor;
    const at = clock.nowSeconds();
    const about = { payeeId, account, currency, amountMinor, creditUsedMinor, number: moves, at };
    const { entry, repaidMinor } = receivedEntry(about);
    const next: Receiver = { account, moves };
    return {
      result: true,
      entries: [entry],
      records: [{ ...record, body: JSON.stringify(next) }],
      repaid: { account, minor: repaidMinor },
    };
  });
}

/** One run at a time; whoever asks meanwhile gets one more after it. */
export class ReceiverCredits {
  readonly #context: CreditsContext;
  #running: Promise<void> | undefined;
  #round: Promise<void> | undefined;
  #isWanted = false;

  constructor(context: CreditsContext) {
    this.#context = context;
  }

  /** Settlement wrote something that may be for a person. Never throws: housekeeping asks again. */
  wake(): void {
    this.#isWanted = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Until what was settled before now is in its accounts, however much is settled meanwhile. */
  async caughtUp(): Promise<void> {
    const isWanted = this.#isWanted;
    await this.#round;
    if (isWanted) await this.#round;
  }

  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      this.#round = this.#credit();
      await this.#round;
    }
    this.#round = undefined;
  }

  async #credit(): Promise<void> {
    try {
      const credited = await creditReceivers(this.#context);
      if (credited > 0) this.#context.log.info({ credited }, "receivers credited");
    } catch (error) {
      this.#context.log.error({ err: error }, "receivers could not be credited; it is tried again");
    }
  }
}

export const readReceiver = (body: string): Receiver => Value.Parse(Receiver, JSON.parse(body));
