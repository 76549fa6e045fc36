import { type BroughtHome, bringHome, type UploadCalls } from "@cairn/app-kit";
import {
  type AcceptanceOutcome,
  DEFAULT_COLLECT_POLICY,
  openTerminal,
  type Standing,
  type Terminal,
  type TerminalPorts,
} from "@cairn/collect";
import { ClientError, type TillRefundAnswer } from "@cairn/issuer/client";
import { type MessageId, readCode } from "@cairn/messages";
import { askRefund, giveBack, type RefundCalls } from "./refund.ts";
import { type RefundNote, refundsBetween } from "./refund-notes.ts";
import { readSettings, type Settings, type SettingsMemory, writeSettings } from "./settings.ts";

/** What a person sees of an upload. */
export type UploadStatus =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly step: "uploading" | "asking"; readonly received: number }
  | { readonly kind: "done"; readonly brought: BroughtHome }
  | { readonly kind: "failed"; readonly reason: { readonly code: string; readonly sentence: string } };

/** What the screens show; replaced as a whole whenever something changes. */
export type TerminalView = {
  readonly standing: Standing;
  readonly settings: Settings;
  readonly upload: UploadStatus;
};

export type TerminalSession = {
  readonly terminal: Terminal;
  view(): TerminalView;
  /** Calls `listener` after each change; gives what ends that. */
  subscribe(listener: () => void): () => void;
  /** Reads the journal again, after anything that may have changed it. */
  refresh(): Promise<void>;
  change(changes: Partial<Settings>): Promise<void>;
  /** Takes a scanned payment of either kind. */
  offer(codeText: string): Promise<AcceptanceOutcome>;
  /** As `offer` at a gate: open payments are captured for the fare, or left to be captured later. */
  offerAtGate(codeText: string): Promise<AcceptanceOutcome>;
  /** How much of a settled payment was given back. @throws ClientError */
  askRefund(paymentId: MessageId): Promise<TillRefundAnswer>;
  /** @throws ClientError */
  giveBack(order: Parameters<typeof giveBack>[0]): Promise<TillRefundAnswer>;
  /** What this till gave back. Seconds since 1970, `until` exclusive. */
  refundsBetween(range: { readonly from: number; readonly until: number }): readonly RefundNote[];
  /** Uploads unless an upload runs already. Never throws: how it went is in the view. */
  upload(): Promise<void>;
};

export type SessionPorts = Omit<TerminalPorts, "policy"> & {
  readonly calls: UploadCalls & RefundCalls;
  readonly settings: SettingsMemory;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly nowMs: () => number;
};

/** One enrolled terminal behind its screens. The journal decides; this only asks it and tells the screens. */
export async function openSession(ports: SessionPorts): Promise<TerminalSession> {
  let settings = readSettings(ports.settings);
  let terminal = terminalWith(settings);
  let view: TerminalView = { standing: await terminal.standing(), settings, upload: { kind: "idle" } };
  const listeners = new Set<() => void>();

  function terminalWith({ whenStale }: Settings): Terminal {
    return openTerminal({ ...ports, policy: { ...DEFAULT_COLLECT_POLICY, whenStale } });
  }

  function show(changes: Partial<TerminalView>): void {
    view = { ...view, ...changes };
    for (const listener of listeners) listener();
  }

  async function refresh(): Promise<void> {
    show({ standing: await terminal.standing() });
  }

  async function change(changes: Partial<Settings>): Promise<void> {
    settings = { ...settings, ...changes };
    writeSettings(ports.settings, settings);
    await ports.settings.flushed();
    if (changes.whenStale !== undefined) terminal = terminalWith(settings);
    show({ settings, standing: await terminal.standing() });
  }

  async function offer(codeText: string): Promise<AcceptanceOutcome> {
    const outcome = isOpenPayment(codeText) ? await terminal.acceptOpen(codeText) : await terminal.accept(codeText);
    await refresh();
    return outcome;
  }

  async function offerAtGate(codeText: string): Promise<AcceptanceOutcome> {
    const { mode, fareMinor } = settings.gate;
    const outcome = await terminal.acceptOpen(codeText, mode === "fixed" ? { captureMinor: BigInt(fareMinor) } : {});
    await refresh();
    return outcome;
  }

  async function upload(): Promise<void> {
    if (view.upload.kind === "running") return;
    show({ upload: { kind: "running", step: "uploading", received: 0 } });
    try {
      const brought = await bringHome(terminal, ports.calls, {
        onProgress: (progress) => show({ upload: { kind: "running", ...progress } }),
        pause: ports.pause,
        nowMs: ports.nowMs,
      });
      await change({ lastUploadAt: Math.floor(ports.nowMs() / 1000) });
      show({ upload: { kind: "done", brought } });
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      show({ upload: { kind: "failed", reason: { code: error instanceof ClientError ? error.code : "", sentence } } });
      await refresh();
    }
  }

  return {
    get terminal() {
      return terminal;
    },
    view: () => view,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh,
    change,
    offer,
    offerAtGate,
    askRefund: (paymentId) => askRefund(paymentId, ports),
    refundsBetween: (range) => refundsBetween(ports.settings, range),
    giveBack: (order) => giveBack(order, ports),
    upload,
  };
}

/** One scanner for both kinds: a payment for a request, or an open payment. What is neither, `accept` refuses. */
function isOpenPayment(codeText: string): boolean {
  try {
    return readCode(codeText).type === "open-payment";
  } catch {
    return false;
  }
}
