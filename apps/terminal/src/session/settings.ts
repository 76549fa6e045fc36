import type { CollectPolicy } from "@cairn/collect";
import type { DurableNotes } from "@cairn/stores/browser";

/** What the person at this terminal chose, and what the till was doing. None of it is money: the journal holds that. */
export type Settings = {
  readonly whenStale: CollectPolicy["whenStale"];
  readonly sound: boolean;
  readonly gate: {
    readonly mode: "fixed" | "capped";
    /** Minor units, decimal digits. */
    readonly fareMinor: string;
  };
  /** The request on the till's screen, so that a restart comes back to it. */
  readonly currentRequestId: string | undefined;
  /** Seconds since 1970. */
  readonly lastUploadAt: number | undefined;
};

export const DEFAULT_SETTINGS: Settings = {
  whenStale: "refuse",
  sound: true,
  gate: { mode: "fixed", fareMinor: "0" },
  currentRequestId: undefined,
  lastUploadAt: undefined,
};

/** Where settings are kept: durable when `flushed` resolves. */
export type SettingsMemory = Pick<DurableNotes, "getItem" | "setItem" | "flushed">;

const KEY = "cairn-terminal";

/** Whatever cannot be read counts as not chosen: settings never keep a till from opening. */
export function readSettings(memory: SettingsMemory): Settings {
  const found = parse(memory.getItem(KEY));
  const gate = isRecord(found.gate) ? found.gate : {};
  return {
    whenStale: found.whenStale === "at-own-risk" ? "at-own-risk" : "refuse",
    sound: found.sound !== false,
    gate: {
      mode: gate.mode === "capped" ? "capped" : "fixed",
      fareMinor: typeof gate.fareMinor === "string" && /^\d{1,15}$/.test(gate.fareMinor) ? gate.fareMinor : "0",
    },
    currentRequestId: typeof found.currentRequestId === "string" ? found.currentRequestId : undefined,
    lastUploadAt: Number.isSafeInteger(found.lastUploadAt) ? Number(found.lastUploadAt) : undefined,
  };
}

export function writeSettings(memory: SettingsMemory, settings: Settings): void {
  memory.setItem(KEY, JSON.stringify(settings));
}

function parse(text: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
