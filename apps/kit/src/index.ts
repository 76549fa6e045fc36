export { drawCode, QrCode, useScreenOn } from "./code/qr-code.tsx";
export { type Advice, adviceFor } from "./collecting/advice.ts";
export { type BroughtHome, bringHome, type UploadCalls } from "./collecting/bring-home.ts";
export { type Resumed, resumeCollecting } from "./collecting/resume.ts";
export { minutesAndSeconds, useSecondsLeft } from "./collecting/seconds-left.ts";
export { type ClockState, judgeClock, MAXIMUM_CLOCK_LAG_SECONDS } from "./device/clock-guard.ts";
export {
  deviceClock,
  deviceRandom,
  deviceSigner,
  enrolmentCodeIn,
  issuerAddress,
  takeEnrolmentCode,
} from "./device/device.ts";
export { holdOneTab, takeOverTab } from "./device/one-tab.ts";
export { useOnline } from "./device/online.ts";
export { saveFile } from "./device/save-file.ts";
export { useWhenSeenAgain } from "./device/seen-again.ts";
export { askToKeepStorage, type StorageCare } from "./device/storage.ts";
export { applyUpdate, keepAppOnDevice, useUpdateReady } from "./device/updates.ts";
export { useWayBack } from "./device/way-back.ts";
export { formatDay, formatDuration, formatFromNow, formatMoney, formatTime } from "./language/format.ts";
export {
  LANGUAGE_NAMES,
  LANGUAGES,
  type Language,
  language,
  type MessageFiles,
  payersRefusalText,
  preferredLanguage,
  refusalAdvice,
  refusalText,
  setLanguage,
  startLanguage,
  t,
  useLanguage,
} from "./language/language.ts";
export { AmountField } from "./look/amount-field.tsx";
export { Fact, Facts } from "./look/facts.tsx";
export { LookChoices } from "./look/look-choices.tsx";
export { Button, Notice, Screen, Verdict } from "./look/parts.tsx";
export { playVerdict } from "./look/sound.ts";
export { setTheme, showTheme, THEMES, type Theme, theme } from "./look/theme.ts";
export { UntoldFailure } from "./look/untold-failure.tsx";
export { FrameReader } from "./scan/frame-reader.ts";
export { type Scanned, Scanner } from "./scan/scanner.tsx";
