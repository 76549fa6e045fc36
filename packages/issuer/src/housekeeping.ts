import type { IssuingPolicy } from "@cairn/issue";
import type { TrustListPublisher } from "./lists/trust-list-publisher.ts";
import type { Policies } from "./policy/policies.ts";
import { forgetExpiredCodes } from "./services/enrolment-codes.ts";
import { finishTransfers } from "./services/online-money.ts";
import type { PushChannel } from "./services/push-channel.ts";
import type { ServerContext } from "./services/server-context.ts";

export type Housekeeping = { stop(): Promise<void> };

/** What has to be done by the clock, as often as is said. */
export function startHousekeeping(round: () => Promise<void>, intervalMs: number): Housekeeping {
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(round);
  }, intervalMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

/** What another process keeps: takes up keys and lists that it changed. */
export async function followHouse(
  context: Pick<ServerContext, "keys" | "log"> & {
    readonly push?: Pick<PushChannel, "lookAtAll">;
    readonly trustLists: Pick<TrustListPublisher, "follow">;
    readonly policies: Pick<Policies, "follow">;
  },
): Promise<void> {
  try {
    if (await context.keys.follow()) context.log.info({}, "the issuer's keys changed");
    await context.trustLists.follow();
    await context.policies.follow();
    context.push?.lookAtAll();
  } catch (error) {
    context.log.error({ err: error }, "keys and lists could not be read; they are read again");
  }
}

/** Takes up a policy file that was changed; devices that listen are then looked at under the new policy. */
export async function followPolicy(context: Pick<ServerContext, "policies" | "push" | "log">): Promise<void> {
  try {
    if (await context.policies.follow()) context.push.lookAtAll("policy-changed");
  } catch (error) {
    context.log.error({ err: error }, "the policy could not be looked at; it is looked at again");
  }
}

/** Others have their turn between so many. */
const STATEMENTS_AT_ONCE = 500;

async function closeStatements(
  { statementEverySeconds: everySeconds, dueAfterSeconds }: IssuingPolicy["creditRepayment"],
  at: number,
  { store, log }: Pick<ServerContext, "store" | "log">,
): Promise<void> {
  const limit = STATEMENTS_AT_ONCE;
  let accounts = 0;
  for (let isMore = true; isMore; ) {
    const { closed, asked } = await store.closeStatements({ at, everySeconds, dueAfterSeconds, limit });
    accounts += asked;
    isMore = closed === limit;
  }
  if (accounts > 0) log.info({ accounts }, "statements closed with something to repay");
}

/** One round: release what nobody uploaded in time, keep the lists fresh. A fault is logged and met again in the next round. */
export async function keepHouse(context: ServerContext): Promise<void> {
  const { store, clock, trustLists, statusLists, log } = context;
  const now = clock.nowSeconds();
  const { uploadDeadlineSeconds, creditRepayment } = context.policies.at(now).policy;
  const jumpSeconds = context.clockWatch?.look() ?? 0;
  if (jumpSeconds !== 0)
    log.error({ code: "CLOCK_JUMPED", jumpSeconds }, "the clock jumped; nothing is released for an hour");
  const isClockTrusted = context.clockWatch?.isTrusted ?? true;
  try {
    const released = isClockTrusted ? await store.releaseOverdue({ before: now - uploadDeadlineSeconds, at: now }) : 0;
    if (released > 0) log.info({ released }, "overdue payments released");
    if (isClockTrusted && creditRepayment.enabled) await closeStatements(creditRepayment, now, context);
    await forgetExpiredCodes(context);
    await finishTransfers(context);
    if (await trustLists.refresh(now)) log.info({}, "new trust list published");
    // Before the first list of an offline root there is nobody to read a status list.
    if (trustLists.published() !== undefined) await statusLists.current(now);
    context.credits.wake();
    context.push.lookAtAll();
  } catch (error) {
    log.error({ err: error }, "housekeeping failed; it is tried again");
  }
}
