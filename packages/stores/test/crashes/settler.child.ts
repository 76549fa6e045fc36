import { type IssuerStore, openPostgresIssuerStore, SqliteIssuerStore, StoreError } from "@cairn/stores";
import { type Group, Plan, settleOnce } from "./plan.ts";

/**
 * A process to be killed: uploads what is planned from a given upload on and settles it, and says on its standard output
 * what is done, one JSON line each. A failure of the store is said and tried again, as the issuer's worker does. Ends
 * when its standard input ends, or when the store is lost, as the issuer's server does.
 */
export type ChildInput = {
  readonly store: { readonly sqlite: string } | { readonly postgres: string; readonly schema: string };
  readonly seed: number;
  readonly groups: readonly Group[];
  /** The first upload that was not told to be received; undefined for a worker that only settles. */
  readonly from?: number;
};
export type ChildLine =
  | { readonly received: number }
  | { readonly answers: readonly (readonly [paymentId: string, state: string, takenMinor: string])[] }
  | { readonly failed: string }
  /** Everything that was planned is uploaded and answered. */
  | { readonly idle: true };

const input: ChildInput = JSON.parse(process.argv[2] ?? "");
const PAUSE_MS = 10;
/** Between uploads, so that those who inject faults can keep up. */
const PACE_MS = 2;

/** So small that it is killed in the middle of merging, and of moving the log into the file, as well. */
const SMALL = { indexSizes: { portionEntries: 30, mergedRuns: 2, recordsAStep: 10 }, checkpointPages: 100 };

let isStopping = false;
process.stdin.on("end", () => {
  isStopping = true;
});
process.stdin.resume();
process.stdout.on("error", () => process.exit(0));

const say = (line: ChildLine): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const pause = (milliseconds = PAUSE_MS): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Until it succeeds, or nobody wants it any more. */
async function insist<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      say({ failed: error.code });
      if (error.code === "STORE_LOST") process.exit(0);
      if (isStopping) return undefined;
      await pause();
    }
  }
}

async function open(): Promise<IssuerStore> {
  const { store } = input;
  if ("sqlite" in store) return new SqliteIssuerStore(store.sqlite, SMALL);
  const { postgres, schema } = store;
  return openPostgresIssuerStore({ connectionString: postgres, schema, leaseSeconds: 0.5, retrySeconds: 5 });
}

const store = (await insist(open)) ?? process.exit(0);
const plan = new Plan(input.seed, input.groups);

async function settleAll(): Promise<void> {
  for (;;) {
    const outcomes = await insist(() => settleOnce(store, plan));
    if (outcomes === undefined) return;
    say({ answers: outcomes.map((each) => [each.paymentId, each.state, `${each.takenMinor}`]) });
  }
}

for (let upload = input.from ?? plan.uploads; upload < plan.uploads && !isStopping; upload++) {
  await insist(() => store.receive(plan.records(upload)));
  if (isStopping) break;
  say({ received: upload });
  await settleAll();
  await pause(PACE_MS);
}
while (!isStopping) {
  await settleAll();
  say({ idle: true });
  await pause();
}
await store.close();
process.exit(0);
