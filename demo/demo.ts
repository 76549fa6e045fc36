import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { amount, currency, formatAmount } from "@cairn/messages";
import {
  type Folders,
  foldersIn,
  type IssuerProcess,
  must,
  mustRefuse,
  networkWall,
  probe,
  startIssuerProcess,
} from "./parties.ts";
import { type Story, tellStory } from "./story.ts";

/** The whole loop with real processes: issue, pay offline, collect offline, settle; then a cloned wallet. */
const HELP = `npm run demo [-- --keep]

Runs an issuer, a wallet and two terminals as processes of their own, takes the network away in the middle,
and ends with the ledger. Takes under a minute and leaves nothing behind.

  --keep   leaves the folders of all parties in place and says where they are`;

const EUR = currency("EUR");
const money = (minor: unknown): string => formatAmount(amount(BigInt(String(minor)), EUR));

async function demo(story: Story, keep: boolean): Promise<void> {
  const folders = foldersIn(await mkdtemp(join(tmpdir(), "cairn-demo-")));
  await mkdir(folders.pictures);
  const begin = performance.now();
  const issuer = await startIssuerProcess(folders.issuer);
  try {
    story.line("A ferry crosses a bay. There is no network on board, and none at the kiosk on the pier.");
    story.line(
      "Ada wants coffee on the pier, and a ride. This is what happens, with real processes, keys, pictures and a database.",
    );
    const account = await openAccounts(story, folders, issuer);
    await issueCertificate(story, folders);
    await takeNetworkAway(story, folders, issuer);
    const paymentPicture = await payTwoWay(story, folders);
    await payOpen(story, folders);
    await refuse(story, folders, paymentPicture);
    await settle(story, folders, ["--issuer", issuer.url]);
    await cloneAndDoubleSpend(story, folders, account);
    story.line(
      `\nDone in ${((performance.now() - begin) / 1000).toFixed(0)} seconds. Next: npm start, and docs/README.md.`,
    );
  } finally {
    await issuer.stop();
    if (keep) story.line(`All folders are kept in ${folders.root}`);
    else await rm(folders.root, { recursive: true, force: true });
  }
}

const online = (folders: Folders) => ({ issuer: ["--data", folders.issuer], wallet: ["--data", folders.wallet] });
const offlineIn = (folders: Folders, folder: string) => ({ offline: { folders: [folder, folders.pictures] } });
const picture = (folders: Folders, name: string): string => join(folders.pictures, `${name}.png`);

async function openAccounts(story: Story, folders: Folders, issuer: IssuerProcess): Promise<string> {
  story.chapter(
    "Online, at home: accounts and devices",
    `The issuer's server runs at ${issuer.url} on its embedded database.`,
  );
  const { issuer: at } = online(folders);
  const account = await story.step("Ada's account: 12.00 EUR balance, 80.00 EUR credit line", async () => {
    const created = await must([
      "issuer",
      "account",
      "create",
      "--name",
      "Ada",
      "--balance",
      "12.00",
      "--credit",
      "80.00",
      ...at,
    ]);
    return String((created.account as { account: number }).account);
  });
  await story.step("Two payees: Harbour Kiosk, Bay Ferry", async () => {
    await must(["issuer", "payee", "create", "--id", "KIOSK", "--name", "Harbour Kiosk", ...at]);
    await must(["issuer", "payee", "create", "--id", "FERRY", "--name", "Bay Ferry", ...at]);
  });
  await story.step(
    "Ada's phone and both terminals enrol with one-time codes; each makes a key of its own",
    async () => {
      const wallet = await must(["issuer", "account", "code", account, ...at]);
      await must(["wallet", "enrol", "--issuer", issuer.url, "--code", String(wallet.code), "--data", folders.wallet]);
      for (const [payee, folder] of [
        ["KIOSK", folders.kiosk],
        ["FERRY", folders.ferry],
      ] as const) {
        const { code } = await must(["issuer", "payee", "code", payee, ...at]);
        await must(["terminal", "enrol", "--issuer", issuer.url, "--code", String(code), "--data", folder]);
      }
    },
  );
  return account;
}

type Decision = { reasons: { sentence: string }[]; lines: { label: string; minor: string; note: string }[] };

async function issueCertificate(story: Story, folders: Folders): Promise<void> {
  story.chapter(
    "Online: a limit, without loading anything",
    "The phone syncs. The server works out what Ada may spend offline and signs it into a certificate.",
  );
  const synced = await story.step("Ada's phone synced and holds a user certificate", () =>
    must(["wallet", "sync", ...online(folders).wallet]),
  );
  const decision = synced.decision as Decision;
  for (const { sentence } of decision.reasons) story.lines([`Why: ${sentence}`]);
  const width = Math.max(...decision.lines.map(({ label }) => label.length));
  story.lines(
    decision.lines.map(({ label, minor, note }) => `${label.padEnd(width)} ${money2(minor).padStart(10)}   ${note}`),
  );
}

/** Lines of a computation may be negative. */
function money2(minor: string): string {
  return minor.startsWith("-") ? `-${money(minor.slice(1))}` : money(minor);
}

async function takeNetworkAway(story: Story, folders: Folders, issuer: IssuerProcess): Promise<void> {
  story.chapter("The network goes away", `From now on wallet and terminals run behind a wall: ${networkWall().name}.`);
  for (const [who, folder] of [
    ["the phone", folders.wallet],
    ["the kiosk's terminal", folders.kiosk],
  ] as const) {
    const got = await story.step(`A process started as ${who} cannot reach the issuer`, async () => {
      const reached = await probe(issuer.url, folder);
      if (reached === "reached" || reached === "") throw new Error(`The wall has a hole: ${reached}`);
      return reached;
    });
    story.lines([`it tried, and got: ${got}`]);
  }
}

async function payTwoWay(story: Story, folders: Folders): Promise<string> {
  story.chapter(
    "Offline: three payments at the kiosk",
    "The terminal shows a request as a QR picture; the phone reads its pixels, asks Ada, and shows a payment; the terminal reads that.",
  );
  const wallet = offlineIn(folders, folders.wallet);
  const kiosk = offlineIn(folders, folders.kiosk);
  let last = "";
  for (const [order, price] of [
    ["A-1", "4.50"],
    ["A-2", "6.80"],
    ["A-3", "3.20"],
  ] as const) {
    await story.step(`Order ${order}: ${price} EUR paid, accepted, receipt on the phone`, async () => {
      const [request, payment, receipt] = ["request", "payment", "receipt"].map((name) =>
        picture(folders, `${name}-${order}`),
      ) as [string, string, string];
      await must(["terminal", "charge", price, "--reference", order, "--png", request, "--data", folders.kiosk], kiosk);
      const paid = await must(
        ["wallet", "pay", "--image", request, "--yes", "--png", payment, "--data", folders.wallet],
        wallet,
      );
      if (paid.payee !== "Harbour Kiosk") throw new Error("The wallet showed another payee.");
      await must(["terminal", "accept", "--image", payment, "--png", receipt, "--data", folders.kiosk], kiosk);
      await must(["wallet", "receipt", "--image", receipt, "--data", folders.wallet], wallet);
      last = payment;
    });
  }
  return last;
}

async function payOpen(story: Story, folders: Folders): Promise<void> {
  story.chapter(
    "Offline: the ferry's gate",
    "Here the phone shows its code first: up to 4.00 EUR, for a minute. The gate takes the fare.",
  );
  const code = picture(folders, "open-payment");
  const receipt = picture(folders, "receipt-ferry");
  await story.step("Up to 4.00 EUR offered, 2.40 EUR captured, the rest goes back", async () => {
    await must(
      ["wallet", "pay-open", "4.00", "--png", code, "--data", folders.wallet],
      offlineIn(folders, folders.wallet),
    );
    await must(
      ["terminal", "accept", "--image", code, "--capture", "2.40", "--png", receipt, "--data", folders.ferry],
      offlineIn(folders, folders.ferry),
    );
    await must(["wallet", "receipt", "--image", receipt, "--data", folders.wallet], offlineIn(folders, folders.wallet));
  });
}

async function refuse(story: Story, folders: Folders, paymentPicture: string): Promise<void> {
  story.chapter("Offline: what is turned away");
  const wallet = offlineIn(folders, folders.wallet);
  const kiosk = offlineIn(folders, folders.kiosk);
  const overspend = await story.step("Spending more than the limit is refused", async () => {
    const request = picture(folders, "request-too-much");
    await must(["terminal", "charge", "5.00", "--reference", "A-4", "--png", request, "--data", folders.kiosk], kiosk);
    return mustRefuse(
      "LIMIT_EXCEEDED",
      ["wallet", "pay", "--image", request, "--yes", "--data", folders.wallet],
      wallet,
    );
  });
  story.lines([`the phone says: ${overspend.json.sentence}`]);
  const replay = await story.step("A copy of a payment, shown again, is refused", () =>
    mustRefuse("PAYMENT_REPLAYED", ["terminal", "accept", "--image", paymentPicture, "--data", folders.kiosk], kiosk),
  );
  story.lines([`the terminal says: ${replay.json.sentence}`]);
}

async function settle(story: Story, folders: Folders, at: readonly string[]): Promise<void> {
  story.chapter(
    "Online again: the terminals come home",
    "They upload what they accepted; the server verifies everything once more and posts it.",
  );
  for (const [name, folder] of [
    ["Harbour Kiosk", folders.kiosk],
    ["Bay Ferry", folders.ferry],
  ] as const) {
    await story.step(`${name} uploaded`, () => must(["terminal", "upload", "--data", folder]));
    await showSales(story, folder);
  }
  const synced = await story.step("Ada's phone synced, and holds a new certificate", () =>
    must(["wallet", "sync", "--data", folders.wallet]),
  );
  const { limitMinor } = synced.certificate as { limitMinor: string };
  story.lines([`${(synced.decision as Decision).reasons[0]?.sentence} The new one is good for ${money(limitMinor)}.`]);
  await showLedger(story, folders, at);
}

type Sale = {
  amountMinor: string;
  takenMinor: string | null;
  reference: string | null;
  state: string;
  sentence: string;
};

async function showSales(story: Story, folder: string): Promise<void> {
  const history = await must(["terminal", "history", "--data", folder]);
  for (const sale of history.payments as Sale[]) {
    story.lines([
      `${(sale.reference ?? "gate").padEnd(6)} ${money(sale.takenMinor ?? sale.amountMinor).padStart(10)}  ${sale.state}${sale.state === "settled" ? "" : `: ${sale.sentence}`}`,
    ]);
  }
}

type Ledger = {
  entries: { kind: string; currency: string; postings: { ledgerAccount: string; minor: string }[] }[];
  balances: { ledgerAccount: string; minor: string }[];
  books: { entries: number; faults: string[] };
};

async function showLedger(story: Story, folders: Folders, at: readonly string[]): Promise<Ledger> {
  const ledger = (await must(["issuer", "ledger", "--data", folders.issuer, ...at])) as unknown as Ledger;
  const rows = ledger.entries.flatMap(({ kind, postings }) =>
    postings.map((posting, index) => ({ what: index === 0 ? kind : "", ...posting })),
  );
  const width = Math.max(...rows.map(({ ledgerAccount }) => ledgerAccount.length));
  story.line("\n   The ledger, every posting (debit left, credit right):");
  story.lines(
    rows.map(({ what, ledgerAccount, minor }) => {
      const debit = minor.startsWith("-") ? "" : money(minor);
      const credit = minor.startsWith("-") ? money(minor.slice(1)) : "";
      return `${what.padEnd(12)} ${ledgerAccount.padEnd(width)} ${debit.padStart(11)} ${credit.padStart(11)}`;
    }),
  );
  story.line("   What everybody stands at:");
  story.lines(
    ledger.balances.map(({ ledgerAccount, minor }) => `${ledgerAccount.padEnd(width)} ${money2(minor).padStart(12)}`),
  );
  const sum = ledger.balances.reduce((total, { minor }) => total + BigInt(minor), 0n);
  story.lines([
    `${"sum".padEnd(width)} ${money2(String(sum)).padStart(12)}   recomputed from ${ledger.books.entries} entries: ${ledger.books.faults.length === 0 ? "sound" : ledger.books.faults.join("; ")}`,
  ]);
  if (sum !== 0n || ledger.books.faults.length > 0) throw new Error("The books do not balance.");
  return ledger;
}

async function cloneAndDoubleSpend(story: Story, folders: Folders, account: string): Promise<void> {
  story.chapter(
    "A thief clones the phone",
    "The wallet's folder is copied, key and all. Both copies pay 5.00 EUR, offline, at two terminals that cannot ask each other.",
  );
  await cp(folders.wallet, folders.clone, { recursive: true });
  for (const [who, folder, terminal] of [
    ["Ada's phone pays the kiosk", folders.wallet, folders.kiosk],
    ["the clone pays the ferry", folders.clone, folders.ferry],
  ] as const) {
    await story.step(`${who}: accepted, since no terminal can know`, async () => {
      const [request, payment] = [
        picture(folders, `request-${terminal.split("/").at(-1)}`),
        picture(folders, `payment-${terminal.split("/").at(-1)}`),
      ];
      await must(
        ["terminal", "charge", "5.00", "--reference", "B-1", "--png", request, "--data", terminal],
        offlineIn(folders, terminal),
      );
      await must(
        ["wallet", "pay", "--image", request, "--yes", "--png", payment, "--data", folder],
        offlineIn(folders, folder),
      );
      await must(["terminal", "accept", "--image", payment, "--data", terminal], offlineIn(folders, terminal));
    });
  }
  await story.step("Both terminals upload", async () => {
    await must(["terminal", "upload", "--data", folders.kiosk]);
    await must(["terminal", "upload", "--data", folders.ferry]);
  });
  const { conflicts } = (await must(["issuer", "conflicts", "--data", folders.issuer])) as {
    conflicts: { first: string; second: string; certificateId: string }[];
  };
  const [proof] = conflicts;
  if (proof === undefined) throw new Error("The clone was not proven.");
  story.lines([
    `The issuer sees: certificate ${proof.certificateId} signed both of these, which one honest device never does:`,
    `  ${proof.first}`,
    `  ${proof.second}`,
    `The certificate is revoked and account ${account} may have no other until this is resolved.`,
  ]);
  story.lines(["The kiosk and the ferry see: both of their sales settled, since both followed the rules."]);
  story.lines(["Harbour Kiosk:"]);
  await showSales(story, folders.kiosk);
  story.lines(["Bay Ferry:"]);
  await showSales(story, folders.ferry);
  const refused = await must(["wallet", "sync", "--data", folders.wallet]);
  story.lines([`Ada sees: ${(refused.decision as Decision).reasons.map(({ sentence }) => sentence).join(" ")}`]);
  await showLedger(story, folders, []);
}

const { values } = parseArgs({
  options: { keep: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false } },
});
if (values.help) {
  process.stdout.write(`${HELP}\n`);
} else {
  await demo(tellStory(), values.keep);
}
