import { useEffect, useState } from "preact/hooks";
import { t } from "../language/language.ts";
import { Button, Notice } from "./parts.tsx";

/** How browsers say that they could not write; after the first time they close the database. */
const OF_STORAGE = ["QuotaExceededError", "UnknownError", "AbortError", "InvalidStateError"];

/** Over any screen, what nothing else has told: a device without room, or a fault of the program. Starting again is safe: what was stored is found again. */
export function UntoldFailure() {
  const [failure, setFailure] = useState<"full" | "unexpected">();
  useEffect(() => {
    const listener = (event: PromiseRejectionEvent | ErrorEvent): void => {
      const error: unknown = "reason" in event ? event.reason : event.error;
      setFailure(error instanceof DOMException && OF_STORAGE.includes(error.name) ? "full" : "unexpected");
    };
    addEventListener("unhandledrejection", listener);
    addEventListener("error", listener);
    return () => {
      removeEventListener("unhandledrejection", listener);
      removeEventListener("error", listener);
    };
  }, []);
  if (failure === undefined) return null;
  return (
    <div class="untold">
      <Notice kind="bad" title={t("error.title")}>
        <p>{t(`error.${failure}`)}</p>
        <Button onClick={() => location.reload()}>{t("error.restart")}</Button>
      </Notice>
    </div>
  );
}
