import type { ChildMessage } from "./settle.ts";
import { type StoreName, settleOnStore } from "./settle-store.ts";

/** One store's run; ends early with the process that started it. */
const [, , store, stored] = process.argv;
const tell = (message: ChildMessage): void => void process.send?.(message);

process.on("disconnect", () => process.exit(1));
const settled = await settleOnStore(store as StoreName, Number(stored), (line) => tell({ line }));
process.send?.({ settled } satisfies ChildMessage, () => process.exit(0));
