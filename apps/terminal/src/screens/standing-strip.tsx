import { type ClockState, formatTime, judgeClock, Notice, t, useOnline } from "@cairn/app-kit";
import type { Standing } from "@cairn/collect";
import { useSession } from "./session-context.ts";

/** What signatures prove against the device's own clock. Far behind, nothing is begun. */
export const clockOf = ({ now }: Pick<Standing, "now">): ClockState => judgeClock(Math.floor(Date.now() / 1000), now);

/** Who is paid, whether there is a network, and until when sales are guaranteed. */
export function StandingStrip() {
  const { view } = useSession();
  const isOnline = useOnline();
  const { payee, now, statusListAgeSeconds, isStatusListStale, stored, storableMinor } = view.standing;
  const guaranteedUntil = now - statusListAgeSeconds + payee.terms.maximumOfflineSeconds;
  const isNearlyFull = stored.count > 0 && storableMinor * 10n < payee.terms.storedTotalCapMinor;
  const clock = clockOf(view.standing);
  return (
    <header class="standing">
      <h1>{payee.terms.name}</h1>
      <p class={`pill ${isOnline ? "good" : "plain"}`} role="status">
        {t(isOnline ? "online" : "offline")}
      </p>
      {isStatusListStale ? (
        <Notice kind="warn">{t(view.settings.whenStale === "refuse" ? "list.stale" : "list.stale-risk")}</Notice>
      ) : (
        <p class="hint">{t("list.fresh", { time: formatTime(guaranteedUntil) })}</p>
      )}
      {isNearlyFull && <Notice kind="warn">{t("warn.stored")}</Notice>}
      {clock !== "right" && <Notice kind={clock === "behind" ? "warn" : "bad"}>{t(`clock.${clock}`)}</Notice>}
    </header>
  );
}
