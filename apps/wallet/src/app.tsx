import {
  applyUpdate,
  Button,
  Notice,
  playVerdict,
  type StorageCare,
  t,
  useLanguage,
  useUpdateReady,
  useWayBack,
  useWhenSeenAgain,
} from "@cairn/app-kit";
import { amount, type MessageId, readCode } from "@cairn/messages";
import {
  acceptReceipt,
  acceptVoid,
  consentTo,
  type HistoryEntry,
  type PayRefusal,
  pay,
  payOpen,
  type ReceiptAccepted,
  type RequestReview,
  reviewRequest,
  type ShownPayment,
  showAgain,
  type VoidAccepted,
} from "@cairn/pay";
import { useEffect, useState } from "preact/hooks";
import { CodeScreen } from "./screens/code-screen.tsx";
import { DetailScreen } from "./screens/detail-screen.tsx";
import { HistoryScreen } from "./screens/history-screen.tsx";
import { HomeScreen } from "./screens/home-screen.tsx";
import { MoreScreen } from "./screens/more-screen.tsx";
import { OpenScreen } from "./screens/open-screen.tsx";
import { ReceiptScreen } from "./screens/receipt-screen.tsx";
import { ReceiveFlow, type ReceiveStep } from "./screens/receive-flow.tsx";
import { ReceivedDetailScreen } from "./screens/received-detail-screen.tsx";
import { ReviewScreen } from "./screens/review-screen.tsx";
import { RefusedScreen, ScanScreen } from "./screens/scan-screen.tsx";
import type { ReceivedEntry } from "./screens/shared.tsx";
import { offlineLimit } from "./session/offline-limit.ts";
import type { Wallet, WalletView } from "./session/open-wallet.ts";
import { exportProof } from "./session/proof.ts";
import { resumeReceiving } from "./session/resume-receiving.ts";
import { useSync } from "./session/use-sync.ts";

const TABS = ["home", "history", "more"] as const;

type Showing = ShownPayment & { readonly expiresAt?: number };
type Screen =
  | { readonly at: "receive"; readonly first: ReceiveStep }
  | { readonly at: "received-detail"; readonly entry: ReceivedEntry }
  | { readonly at: (typeof TABS)[number] | "scan" | "open" }
  | { readonly at: "review"; readonly review: RequestReview }
  | { readonly at: "code" | "scan-receipt"; readonly shown: Showing }
  | { readonly at: "said"; readonly said: ReceiptAccepted | VoidAccepted }
  | { readonly at: "refused"; readonly refusal: PayRefusal }
  | { readonly at: "detail"; readonly entry: HistoryEntry };

/** The way through the screens. What happened is in the store; this only says which part of it is shown. */
export function App({ wallet, storage }: { readonly wallet: Wallet; readonly storage: StorageCare }) {
  useLanguage();
  const { ports } = wallet;
  const [view, setView] = useState<WalletView>();
  const [screen, setScreen] = useState<Screen>({ at: "home" });
  const sync = useSync(wallet, reload);

  async function reload(): Promise<void> {
    setView(await wallet.look());
  }

  useWhenSeenAgain(reload);
  useEffect(() => void reload().then(resume), []);

  /** A payment that was on the screen when the app ended, or that a crash kept from ever getting there. */
  async function resume(): Promise<void> {
    const receiving = await resumeReceiving(wallet);
    if (receiving !== undefined) return setScreen({ at: "receive", first: receiving });
    const { entries } = await wallet.look();
    const unshown = entries.find(({ state }) => state === "prepared")?.paymentId;
    const paymentId = wallet.step.payment() ?? unshown;
    if (paymentId !== undefined) await showPayment(paymentId);
  }

  async function showPayment(paymentId: MessageId): Promise<void> {
    await show(await showAgain(ports, paymentId));
  }

  async function show(shown: Showing | { readonly kind: "refused"; readonly refusal: PayRefusal }): Promise<void> {
    if (shown.kind === "refused") {
      playVerdict("refused");
      setScreen({ at: "refused", refusal: shown.refusal });
      return;
    }
    await wallet.step.showPayment(shown.paymentId);
    setScreen({ at: "code", shown });
    void reload();
  }

  function home(): void {
    wallet.step.leave();
    setScreen({ at: "home" });
    void reload();
  }

  /** What a payee shows is a request, or its answer to a payment. */
  async function takeCode(text: string): Promise<PayRefusal | undefined> {
    const type = typeOf(text);
    if (type === "receipt" || type === "void") {
      const said = type === "receipt" ? await acceptReceipt(ports, text) : await acceptVoid(ports, text);
      if (said.kind === "refused") return said.refusal;
      playVerdict("accepted");
      wallet.step.leave();
      setScreen({ at: "said", said });
      await reload();
      return undefined;
    }
    const review = await reviewRequest(ports, text);
    if (review.kind === "refused") return review.refusal;
    setScreen({ at: "review", review });
    return undefined;
  }

  useWayBack(wayBack());
  function wayBack(): (() => void) | undefined {
    switch (screen.at) {
      case "home":
      case "receive":
        return undefined;
      case "scan-receipt":
        return () => setScreen({ at: "code", shown: screen.shown });
      case "detail":
      case "received-detail":
        return () => setScreen({ at: "history" });
      default:
        // A payment whose code is shown is paid: it stands in the history.
        return home;
    }
  }

  if (view === undefined) return <main class="screen" aria-busy="true" />;
  const { status, entries } = view;
  const { currency } = status;
  switch (screen.at) {
    case "receive":
      return (
        <ReceiveFlow
          wallet={wallet}
          view={view.received}
          currency={currency}
          first={screen.first}
          sync={sync}
          onDone={() => {
            home();
            if (navigator.onLine) sync.start({ renew: false });
          }}
        />
      );
    case "received-detail": {
      const { entry } = screen;
      return (
        <ReceivedDetailScreen
          entry={entry}
          currency={currency}
          onReceipt={() => wallet.receiver.terminal.receiptCode(entry.acceptance.paymentId)}
          onBack={() => setScreen({ at: "history" })}
        />
      );
    }
    case "scan":
      return <ScanScreen title={t("scan.title")} onCode={takeCode} onBack={home} />;
    case "scan-receipt":
      return (
        <ScanScreen
          title={t("scan.receipt")}
          // The payee's screen may still show its request: that is no news.
          onCode={async (text) => (typeOf(text) === "request" ? undefined : takeCode(text))}
          onBack={() => setScreen({ at: "code", shown: screen.shown })}
        />
      );
    case "review": {
      const { review } = screen;
      return (
        <ReviewScreen
          review={review}
          onPay={async () => show(await pay(ports, { review, consent: consentTo(review) }))}
          onBack={home}
        />
      );
    }
    case "code": {
      const { shown } = screen;
      const entry = entries.find(({ paymentId }) => paymentId === shown.paymentId);
      return (
        <CodeScreen
          shown={shown}
          payee={entry?.payee?.name}
          onReceipt={() => setScreen({ at: "scan-receipt", shown })}
          onDone={home}
        />
      );
    }
    case "said":
      return <ReceiptScreen said={screen.said} currency={currency} onDone={home} />;
    case "refused":
      return (
        <RefusedScreen refusal={screen.refusal} onBack={home}>
          <Button kind="main" onClick={home}>
            {t("done")}
          </Button>
        </RefusedScreen>
      );
    case "open":
      return (
        <OpenScreen
          currency={currency}
          atOnceMinor={offlineLimit(status).atOnceMinor}
          onPay={async (minor) => show(await payOpen(ports, { maximum: amount(minor, currency) }))}
          onBack={home}
        />
      );
    case "detail": {
      const { entry } = screen;
      return (
        <DetailScreen
          entry={entries.find(({ paymentId }) => paymentId === entry.paymentId) ?? entry}
          onShowAgain={() => showPayment(entry.paymentId)}
          onProof={() => exportProof(ports, entry.paymentId)}
          onBack={() => setScreen({ at: "history" })}
        />
      );
    }
    default:
      return (
        <div class="with-tabs">
          <UpdateOffer />
          {screen.at === "home" && (
            <HomeScreen
              view={view}
              sync={sync}
              storage={storage}
              deviceSeconds={ports.clock.nowSeconds()}
              onScan={() => setScreen({ at: "scan" })}
              onOpenPayment={() => setScreen({ at: "open" })}
              onReceive={() => setScreen({ at: "receive", first: { at: "amount" } })}
            />
          )}
          {screen.at === "history" && (
            <HistoryScreen
              entries={entries}
              received={view.received}
              currency={currency}
              onOpen={(entry) => setScreen({ at: "detail", entry })}
              onOpenReceived={(entry) => setScreen({ at: "received-detail", entry })}
            />
          )}
          {screen.at === "more" && <MoreScreen wallet={wallet} />}
          <nav class="tabs" aria-label={t("nav.label")}>
            {TABS.map((at) => (
              <button
                key={at}
                type="button"
                aria-current={screen.at === at ? "page" : undefined}
                onClick={() => setScreen({ at })}
              >
                {t(`nav.${at}`)}
              </button>
            ))}
          </nav>
        </div>
      );
  }
}

/** What kind of code a text is, as far as it can be told; the wallet itself says what is wrong with any other. */
function typeOf(text: string): string | undefined {
  try {
    return readCode(text).type;
  } catch {
    return undefined;
  }
}

/** Shown between payments alone, so that an update never comes into one. */
function UpdateOffer() {
  const isReady = useUpdateReady();
  if (!isReady) return null;
  return (
    <Notice kind="info">
      {t("update.ready")} <Button onClick={applyUpdate}>{t("update.apply")}</Button>
    </Notice>
  );
}
