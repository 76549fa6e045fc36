import {
  applyUpdate,
  Button,
  Notice,
  refusalText,
  resumeCollecting,
  type StorageCare,
  t,
  useLanguage,
  useUpdateReady,
  useWayBack,
  useWhenSeenAgain,
} from "@cairn/app-kit";
import type { AcceptanceOutcome, HistoryEntry } from "@cairn/collect";
import { amount, type MessageId, type PaymentRequest } from "@cairn/messages";
import { useEffect, useState } from "preact/hooks";
import { DetailScreen } from "./screens/detail-screen.tsx";
import { GateScreen, RunningGate } from "./screens/gate-screen.tsx";
import { MoreScreen } from "./screens/more-screen.tsx";
import { ReportScreen } from "./screens/report-screen.tsx";
import { type OpenRequest, RequestScreen } from "./screens/request-screen.tsx";
import { SalesScreen } from "./screens/sales-screen.tsx";
import { ScanScreen } from "./screens/scan-screen.tsx";
import { useSession } from "./screens/session-context.ts";
import { TillScreen } from "./screens/till-screen.tsx";
import { VerdictScreen } from "./screens/verdict-screen.tsx";
import { VoidScreen } from "./screens/void-screen.tsx";

const TABS = ["till", "gate", "sales", "more"] as const;

type Screen =
  | { readonly at: (typeof TABS)[number] | "gate-running" | "report" }
  | { readonly at: "request" | "scan"; readonly request: OpenRequest }
  | { readonly at: "verdict"; readonly outcome: AcceptanceOutcome; readonly request: OpenRequest | undefined }
  | { readonly at: "voided"; readonly codeText: string }
  | { readonly at: "detail"; readonly entry: HistoryEntry };

/** How many of the newest lines are looked through for the sale that was going on. */
const RESUME_DEPTH = 20;

/** The way through the screens. What happened is in the journal; this only says which part of it is shown. */
export function App({ storage }: { readonly storage: StorageCare }) {
  useLanguage();
  const { session, view } = useSession();
  const [screen, setScreen] = useState<Screen>();
  const { currency } = view.standing.payee.terms;

  useWhenSeenAgain(session.refresh);
  useEffect(() => {
    void resume().then((resumed) => setScreen(resumed ?? { at: "till" }));
  }, []);

  async function resume(): Promise<Screen | undefined> {
    const entries = await session.terminal.history({ limit: RESUME_DEPTH });
    const resumed = resumeCollecting(entries, session.view().settings.currentRequestId);
    if (resumed?.kind === "paid") {
      const { acceptance, guaranteed } = resumed.entry;
      const receiptCode = await session.terminal.receiptCode(acceptance.paymentId);
      return { at: "verdict", outcome: { kind: "accepted", acceptance, guaranteed, receiptCode }, request: undefined };
    }
    if (resumed?.kind !== "open") return undefined;
    const { requestId, request } = resumed.entry;
    const codeText = await session.terminal.requestCode(requestId);
    if (codeText === undefined) return undefined;
    return { at: "request", request: openRequest({ requestId, request, codeText, isResumed: true }) };
  }

  async function charge({ minor, order }: { readonly minor: bigint; readonly order: string }) {
    const orderReference = order === "" ? {} : { orderReference: order };
    const asked = await session.terminal.charge({ amount: amount(minor, currency), ...orderReference });
    if (asked.kind === "refused") return refusalText(asked.refusal);
    await session.change({ currentRequestId: asked.requestId });
    setScreen({ at: "request", request: openRequest({ ...asked, isResumed: false }) });
    return undefined;
  }

  async function cancel({ requestId }: OpenRequest): Promise<void> {
    const outcome = await session.terminal.voidRequest(requestId);
    if (outcome.kind === "refused") {
      // Paid in the meantime: the verdict is what the cashier has to see.
      setScreen((await resume()) ?? { at: "till" });
      return;
    }
    await session.change({ currentRequestId: undefined });
    setScreen({ at: "voided", codeText: outcome.codeText });
  }

  async function nextCustomer(): Promise<void> {
    await session.change({ currentRequestId: undefined });
    setScreen({ at: "till" });
  }

  useWayBack(wayBack());
  function wayBack(): (() => void) | undefined {
    switch (screen?.at) {
      case undefined:
      case "till":
        return undefined;
      case "scan":
        return () => setScreen({ at: "request", request: screen.request });
      case "detail":
        return () => setScreen({ at: "sales" });
      case "report":
        return () => setScreen({ at: "more" });
      case "gate":
      case "sales":
      case "more":
        return () => setScreen({ at: "till" });
      default:
        // A request, a verdict or a gate is left by its own button alone, not by a swipe that nobody meant.
        return () => undefined;
    }
  }

  if (screen === undefined) return <main class="screen" aria-busy="true" />;
  switch (screen.at) {
    case "request": {
      const { request } = screen;
      return (
        <RequestScreen
          request={request}
          onScan={() => setScreen({ at: "scan", request })}
          onCancel={() => cancel(request)}
          onRenew={() => charge({ minor: request.minor, order: request.orderReference ?? "" })}
        />
      );
    }
    case "scan": {
      const { request } = screen;
      return (
        <ScanScreen
          onCode={async (text) => setScreen({ at: "verdict", outcome: await session.offer(text), request })}
          onBack={() => setScreen({ at: "request", request })}
        />
      );
    }
    case "verdict": {
      const { outcome, request } = screen;
      return (
        <VerdictScreen
          outcome={outcome}
          onNext={nextCustomer}
          onScanAgain={() => setScreen(request === undefined ? { at: "till" } : { at: "scan", request })}
        />
      );
    }
    case "voided":
      return <VoidScreen codeText={screen.codeText} onNext={nextCustomer} />;
    case "gate-running":
      return <RunningGate onStop={() => setScreen({ at: "gate" })} />;
    case "detail":
      return <DetailScreen entry={screen.entry} onBack={() => setScreen({ at: "sales" })} />;
    case "report":
      return <ReportScreen onBack={() => setScreen({ at: "more" })} />;
    default:
      return (
        <div class="with-tabs">
          <UpdateOffer />
          {screen.at === "till" && <TillScreen onCharge={charge} />}
          {screen.at === "gate" && <GateScreen onStart={() => setScreen({ at: "gate-running" })} />}
          {screen.at === "sales" && <SalesScreen onOpen={(entry) => setScreen({ at: "detail", entry })} />}
          {screen.at === "more" && <MoreScreen storage={storage} onReport={() => setScreen({ at: "report" })} />}
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

/** Shown between sales alone, so that an update never comes into one. */
function UpdateOffer() {
  const isReady = useUpdateReady();
  if (!isReady) return null;
  return (
    <Notice kind="info">
      {t("update.ready")} <Button onClick={applyUpdate}>{t("update.apply")}</Button>
    </Notice>
  );
}

type Asked = {
  readonly requestId: MessageId;
  readonly request: PaymentRequest;
  readonly codeText: string;
  readonly isResumed: boolean;
};

function openRequest({ requestId, request, codeText, isResumed }: Asked): OpenRequest {
  const { amountMinor, expiresAt, orderReference } = request;
  return { requestId, codeText, minor: amountMinor, expiresAt, orderReference, isResumed };
}
