import type { AccountNumber } from "@cairn/issue";
import { CLOCK_SKEW_SECONDS, MAXIMUM_MINOR } from "@cairn/messages";
import type { AccountRecord, IssuerStore } from "@cairn/stores";
import type { Clock } from "../ports.ts";
import type { Logger } from "../services/logger.ts";
import type { AccountSource, CreditSource } from "./ports.ts";
import { SourceError } from "./source-error.ts";

export type SourcesContext = {
  readonly store: IssuerStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly creditSource: CreditSource | undefined;
  readonly accountSource: AccountSource | undefined;
  /** Information younger than this is not asked for again. */
  readonly refreshAfterSeconds: number;
};

/**
 * Brings an account up to date from the operator's systems before a decision. Nothing here fails: a source that is down,
 * slow or talks nonsense changes nothing, the decision goes by what is known, and the age of the credit information
 * keeps growing until the policy refuses with CREDIT_INFORMATION_TOO_OLD.
 */
export class Sources {
  readonly #context: SourcesContext;
  /** One question at a time for each account, however many of its devices ask. */
  readonly #running = new Map<AccountNumber, Promise<void>>();
  /** When core banking was last asked, and the last deposit that it told of. A restart begins anew: posting twice is harmless. */
  readonly #asked = new Map<AccountNumber, { readonly at: number; readonly lastDepositId: string | undefined }>();

  constructor(context: SourcesContext) {
    this.#context = context;
  }

  refresh(account: AccountNumber): Promise<void> {
    const { creditSource, accountSource } = this.#context;
    if (creditSource === undefined && accountSource === undefined) return Promise.resolve();
    const running = this.#running.get(account) ?? this.#refresh(account).finally(() => this.#running.delete(account));
    this.#running.set(account, running);
    return running;
  }

  async #refresh(account: AccountNumber): Promise<void> {
    const record = await this.#context.store.account(account);
    if (record === undefined) return;
    await Promise.all([
      this.#safely("credit", record, () => this.#refreshCredit(record)),
      this.#safely("account", record, () => this.#refreshAccount(record)),
    ]);
  }

  async #refreshCredit({ account, credit }: AccountRecord): Promise<void> {
    const { creditSource, store, clock, refreshAfterSeconds } = this.#context;
    const now = clock.nowSeconds();
    if (creditSource === undefined || now - credit.informedAt < refreshAfterSeconds) return;
    const { lineMinor, overdueMinor, scoreBand, informedAt } = await creditSource.credit(account);
    if (lineMinor > MAXIMUM_MINOR || overdueMinor > MAXIMUM_MINOR)
      throw new SourceError("SOURCE_REPLY_INVALID", "An amount is larger than any amount may be.");
    if (informedAt > now + CLOCK_SKEW_SECONDS)
      throw new SourceError("SOURCE_REPLY_INVALID", "The information is from the future.");
    // An answer out of an old cache must not undo a newer one.
    if (informedAt < credit.informedAt) return;
    await store.setCredit(account, { lineMinor, overdueMinor, scoreBand, informedAt: Math.min(informedAt, now) });
  }

  async #refreshAccount({ account, status: held }: AccountRecord): Promise<void> {
    const { accountSource, store, clock, refreshAfterSeconds } = this.#context;
    const at = clock.nowSeconds();
    const asked = this.#asked.get(account);
    if (accountSource === undefined || (asked !== undefined && at - asked.at < refreshAfterSeconds)) return;
    const { status, deposits } = await accountSource.account(account, asked?.lastDepositId);
    if (status !== held) await store.setAccountStatus(account, status);
    for (const { depositId, amountMinor } of deposits) {
      if (amountMinor === 0n || amountMinor > MAXIMUM_MINOR)
        throw new SourceError("SOURCE_REPLY_INVALID", "A deposit is zero or larger than any amount may be.");
      const posted = await store.topUp({ account, amountMinor, idempotencyKey: `deposit:${depositId}`, at });
      if (posted === "key-reused")
        throw new SourceError("SOURCE_REPLY_INVALID", `Deposit ${depositId} was told of before with another amount.`);
    }
    this.#asked.set(account, { at, lastDepositId: deposits.at(-1)?.depositId ?? asked?.lastDepositId });
  }

  async #safely(what: string, { account }: AccountRecord, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.#context.log.warn({ account, what, code: error.code, reason: error.message }, "a source did not help");
    }
  }
}
