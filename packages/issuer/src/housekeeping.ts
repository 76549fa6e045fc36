import type { ServerContext } from "./services/server-context.ts";

export type Housekeeping = { stop(): Promise<void> };

/** What has to be done by the clock: release what nobody uploaded in time, keep the lists fresh. */
export function startHousekeeping(
  context: ServerContext,
  options: { readonly intervalMs: number; readonly uploadDeadlineSeconds: number },
): Housekeeping {
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(() => keepHouse(context, options.uploadDeadlineSeconds));
  }, options.intervalMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

/** One round. A fault is logged and met again in the next round. */
export async function keepHouse(context: ServerContext, uploadDeadlineSeconds: number): Promise<void> {
  const { store, clock, trustLists, statusLists, log } = context;
  const now = clock.nowSeconds();
  try {
    const released = await store.releaseOverdue({ before: now - uploadDeadlineSeconds, at: now });
    if (released > 0) log.info({ released }, "overdue payments released");
    if (await trustLists.refresh(now)) log.info({}, "new trust list published");
    // Before the first list of an offline root there is nobody to read a status list.
    if (trustLists.published() !== undefined) await statusLists.current(now);
  } catch (error) {
    log.error({ err: error }, "housekeeping failed; it is tried again");
  }
}
