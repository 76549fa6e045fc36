import { useEffect, useRef, useState } from "preact/hooks";
import { useScreenOn } from "../code/qr-code.tsx";
import { t } from "../language/language.ts";
import { FrameReader } from "./frame-reader.ts";

/** A code that was seen. `seenAt`: when its frame was taken, milliseconds of `performance.now()`. */
export type Scanned = { readonly text: string; readonly seenAt: number };

type Camera = "starting" | "on" | "denied" | "missing" | "failed";

/** A code that stays in view is told once; it may come again when it has been away for this long. */
const AWAY_MS = 2_000;
/** Between two looks: fast enough for a hand that moves, and an old phone stays cool. */
const PAUSE_MS = 60;

/**
 * The camera, and what it sees: `onCode` is called for each code that comes into view. Reading goes on until the
 * component is taken away or `paused`. Beside it a code can be given as text, for devices and people without a camera.
 */
export function Scanner(props: {
  readonly label: string;
  readonly onCode: (scanned: Scanned) => void;
  readonly paused?: boolean;
}) {
  const video = useRef<HTMLVideoElement>(null);
  const [camera, setCamera] = useState<Camera>("starting");
  const latest = useRef(props);
  latest.current = props;
  useScreenOn();

  useEffect(() => {
    const stop = new AbortController();
    const shown = video.current;
    if (shown !== null) void watch(shown, latest, { setCamera, signal: stop.signal });
    return () => stop.abort();
  }, []);

  return (
    <section class="scanner" aria-label={props.label}>
      <div class="viewfinder" data-camera={camera}>
        <video ref={video} muted playsInline tabIndex={-1} />
        {camera === "on" ? <p class="hint">{props.label}</p> : <p role="status">{t(`camera.${camera}`)}</p>}
      </div>
      <TypedCode onCode={props.onCode} />
    </section>
  );
}

function TypedCode({ onCode }: { readonly onCode: (scanned: Scanned) => void }) {
  const [text, setText] = useState("");
  function submit(event: Event): void {
    event.preventDefault();
    if (text.trim() === "") return;
    setText("");
    onCode({ text: text.trim(), seenAt: performance.now() });
  }
  return (
    <details class="typed">
      <summary>{t("scan.byText")}</summary>
      <form onSubmit={submit}>
        <label>
          {t("scan.text")}
          <textarea
            rows={3}
            spellcheck={false}
            autocomplete="off"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button">
          {t("scan.useText")}
        </button>
      </form>
    </details>
  );
}

async function watch(
  video: HTMLVideoElement,
  props: { readonly current: { readonly onCode: (scanned: Scanned) => void; readonly paused?: boolean } },
  { setCamera, signal }: { readonly setCamera: (camera: Camera) => void; readonly signal: AbortSignal },
): Promise<void> {
  const stream = await openCamera(setCamera);
  if (stream === undefined) return;
  const reader = new FrameReader();
  try {
    if (signal.aborted) return;
    video.srcObject = stream;
    await video.play();
    setCamera("on");
    const seen = new Map<string, number>();
    while (!signal.aborted) {
      if (props.current.paused !== true) await look(video, reader, seen, props);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  } catch {
    if (!signal.aborted) setCamera("failed");
  } finally {
    reader.close();
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}

async function openCamera(setCamera: (camera: Camera) => void): Promise<MediaStream | undefined> {
  try {
    const wanted = { facingMode: "environment", width: { ideal: 1280 }, height: { ideal: 720 } };
    return await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    setCamera(name === "NotAllowedError" ? "denied" : name === "NotFoundError" ? "missing" : "failed");
    return undefined;
  }
}

async function look(
  video: HTMLVideoElement,
  reader: FrameReader,
  seen: Map<string, number>,
  props: { readonly current: { readonly onCode: (scanned: Scanned) => void } },
): Promise<void> {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
  const seenAt = performance.now();
  const texts = await reader.read(await createImageBitmap(video));
  for (const text of texts) {
    const isNew = seenAt - (seen.get(text) ?? Number.NEGATIVE_INFINITY) > AWAY_MS;
    seen.set(text, seenAt);
    if (!isNew) continue;
    // For measuring from frame to verdict (bench/apps.ts).
    performance.mark("cairn-code-seen", { startTime: seenAt });
    props.current.onCode({ text, seenAt });
  }
}
