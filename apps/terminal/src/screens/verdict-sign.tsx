import type { VerdictKind } from "../till/verdict.ts";

/** The shapes differ as much as the colours do: a tick in a circle, a cross in an octagon, a bar in a triangle. */
export function VerdictSign({ kind }: { kind: VerdictKind }) {
  return (
    <svg class="verdict-sign" viewBox="0 0 100 100" aria-hidden="true">
      {kind === "accepted" ? (
        <>
          <circle cx="50" cy="50" r="46" class="sign-body" />
          <path d="M28 52 l15 15 l30 -33" class="sign-mark" />
        </>
      ) : kind === "refused" ? (
        <>
          <path d="M31 4 h38 l27 27 v38 l-27 27 h-38 l-27 -27 v-38 z" class="sign-body" />
          <path d="M33 33 l34 34 M67 33 l-34 34" class="sign-mark" />
        </>
      ) : (
        <>
          <path d="M50 6 L96 92 H4 Z" class="sign-body" />
          <path d="M50 38 v26 M50 76 v2" class="sign-mark" />
        </>
      )}
    </svg>
  );
}
