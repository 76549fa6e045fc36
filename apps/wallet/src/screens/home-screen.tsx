import {
  Button,
  formatFromNow,
  formatMoney,
  formatTime,
  judgeClock,
  Notice,
  refusalText,
  type StorageCare,
  t,
  useOnline,
} from "@cairn/app-kit";
import { accountView } from "../session/account-view.ts";
import { type OfflineLimit, offlineLimit } from "../session/offline-limit.ts";
import type { WalletView } from "../session/open-wallet.ts";
import type { Syncing } from "../session/use-sync.ts";

type HomeScreenProps = {
  readonly view: WalletView;
  readonly sync: Syncing;
  readonly storage: StorageCare;
  readonly deviceSeconds: number;
  readonly onScan: () => void;
  readonly onOpenPayment: () => void;
  readonly onReceive: () => void;
};

/** What can be paid, until when, and the two ways to pay. */
export function HomeScreen({ view, sync, storage, deviceSeconds, onScan, onOpenPayment, onReceive }: HomeScreenProps) {
  const limit = offlineLimit(view.status);
  const clock = judgeClock(deviceSeconds, view.provenSeconds);
  const isClockWrong = clock === "far-behind";
  return (
    <main class="screen">
      <header>
        <h1>{view.status.issuerName}</h1>
        <Connection />
      </header>
      <div class="content">
        {clock !== "right" && <Notice kind={clock === "behind" ? "warn" : "bad"}>{t(`clock.${clock}`)}</Notice>}
        <Purse view={view} limit={limit} />
        <Guidance limit={limit} sync={sync} />
        <Account view={view} />
        <SyncPanel sync={sync} now={view.status.now} />
        {storage !== "kept" && <Notice kind="warn">{t(`storage.${storage}`)}</Notice>}
      </div>
      <div class="actions">
        <Button kind="main" disabled={isClockWrong} onClick={onScan}>
          {t("home.scan")}
        </Button>
        <div class="pair">
          <Button disabled={isClockWrong} onClick={onReceive}>
            {t("home.receive")}
          </Button>
          <Button disabled={isClockWrong || limit.leftMinor === 0n} onClick={onOpenPayment}>
            {t("home.open")}
          </Button>
        </div>
      </div>
    </main>
  );
}

function Connection() {
  const isOnline = useOnline();
  return <span class={`pill ${isOnline ? "good" : ""}`}>{t(isOnline ? "online" : "offline")}</span>;
}

function Purse({ view, limit }: { readonly view: WalletView; readonly limit: OfflineLimit }) {
  const { currency, now } = view.status;
  const { leftMinor, limitMinor, atOnceMinor, until } = limit;
  const part = limitMinor === 0n ? 0 : Number((leftMinor * 1_000n) / limitMinor) / 10;
  return (
    <section class="panel purse">
      <h2>{t("home.left")}</h2>
      <p class="amount">{formatMoney(leftMinor, currency)}</p>
      <svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="whole" width="100" height="4" rx="2" />
        <rect class="left" width={part} height="4" rx="2" />
      </svg>
      {limitMinor > 0n && <p>{t("home.of", { limit: formatMoney(limitMinor, currency) })}</p>}
      {until !== undefined && <p>{t("home.until", { time: formatTime(until), left: formatFromNow(until, now) })}</p>}
      {atOnceMinor > 0n && <p class="hint">{t("home.at-once", { amount: formatMoney(atOnceMinor, currency) })}</p>}
    </section>
  );
}

/** What to do when little or nothing is left. */
function Guidance({ limit, sync }: { readonly limit: OfflineLimit; readonly sync: Syncing }) {
  const refusals = accountView()?.refusals ?? [];
  if (limit.state === "ready") return null;
  return (
    <Notice kind={limit.state === "low" ? "info" : "warn"} title={t(`guide.${limit.state}`)}>
      <p>{t(`guide.${limit.state}.do`)}</p>
      {refusals.map((refusal) => (
        <p key={refusal.code}>{refusalText(refusal)}</p>
      ))}
      <Button
        disabled={sync.isRunning}
        onClick={() => sync.start({ renew: limit.state === "low" || limit.state === "used-up" })}
      >
        {t("sync.renew")}
      </Button>
    </Notice>
  );
}

function Account({ view }: { readonly view: WalletView }) {
  const account = accountView();
  if (account === undefined) return null;
  const { currency } = view.status;
  return (
    <section class="panel">
      <h2>{t("account.title")}</h2>
      <dl class="pair">
        <div>
          <dt class="hint">{t("account.balance")}</dt>
          <dd class="figure">{formatMoney(account.balanceMinor, currency)}</dd>
        </div>
        <div>
          <dt class="hint">{t("account.credit")}</dt>
          <dd class="figure">{formatMoney(account.creditLeftMinor, currency)}</dd>
        </div>
      </dl>
      <p class="hint">{t("account.as-of", { time: formatTime(account.heardAt) })}</p>
      {account.isFrozen && <Notice kind="bad">{t("account.frozen")}</Notice>}
    </section>
  );
}

function SyncPanel({ sync, now }: { readonly sync: Syncing; readonly now: number }) {
  const heardAt = accountView()?.heardAt;
  return (
    <section class="panel">
      <h2>{t("sync.title")}</h2>
      <p role="status" data-synced={sync.isRunning || heardAt === undefined ? "no" : "yes"}>
        {sync.isRunning
          ? t("sync.running", { count: sync.brought })
          : heardAt === undefined
            ? t("sync.never")
            : t("sync.last", { time: formatFromNow(heardAt, now) })}
      </p>
      {sync.failure !== undefined && <Notice kind="warn">{sync.failure}</Notice>}
      <Button disabled={sync.isRunning} onClick={() => sync.start({ renew: false })}>
        {t("sync.now")}
      </Button>
    </section>
  );
}
