import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../language/language.ts";

/**
 * One screen: a heading, which takes the focus when the screen appears so that screen readers begin there, an optional
 * way back, the content, and what can be done at the lower edge, where a thumb reaches it.
 */
export function Screen(props: {
  readonly title: string;
  readonly onBack?: () => void;
  readonly actions?: ComponentChildren;
  readonly corner?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <main class="screen">
      <header>
        {props.onBack !== undefined && (
          <button type="button" class="back" aria-label={t("back")} onClick={props.onBack}>
            <svg viewBox="0 0 24 24" aria-hidden="true">
              <path d="M15 5l-7 7 7 7" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" />
            </svg>
          </button>
        )}
        <h1 ref={heading} tabIndex={-1}>
          {props.title}
        </h1>
        {props.corner}
      </header>
      <div class="content">{props.children}</div>
      {props.actions !== undefined && <div class="actions">{props.actions}</div>}
    </main>
  );
}

/** `main` for the one thing that a screen is for. */
export function Button(props: {
  readonly onClick: () => void;
  readonly children: ComponentChildren;
  readonly kind?: "main" | "plain" | "danger";
  readonly disabled?: boolean;
}) {
  return (
    <button
      type="button"
      class={`button ${props.kind ?? "plain"}`}
      disabled={props.disabled ?? false}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}

const MARKS = { info: "i", good: "✓", warn: "!", bad: "✕" } as const;

/** Something to be known: told by mark and words, not by colour alone. Warnings are read out at once. */
export function Notice(props: {
  readonly kind: keyof typeof MARKS;
  readonly title?: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class={`notice ${props.kind}`} role={props.kind === "warn" || props.kind === "bad" ? "alert" : "status"}>
      <span class="mark" aria-hidden="true">
        {MARKS[props.kind]}
      </span>
      <div>
        {props.title !== undefined && <strong>{props.title}</strong>}
        {props.children}
      </div>
    </div>
  );
}

/** Taken or not: fills the screen, says it in words, shape and colour, and is read out at once. */
export function Verdict(props: {
  readonly kind: "good" | "bad";
  readonly title: string;
  readonly children?: ComponentChildren;
}) {
  return (
    <div class={`verdict ${props.kind}`} role="alert">
      <svg viewBox="0 0 48 48" aria-hidden="true">
        {props.kind === "good" ? <path d="M10 25l10 10 18-21" /> : <path d="M13 13l22 22M35 13L13 35" />}
      </svg>
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}
