export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const CHOICE = "cairn-theme";

export function theme(): Theme {
  const chosen = localStorage.getItem(CHOICE);
  return THEMES.find((each) => each === chosen) ?? "auto";
}

/** `auto` follows the device. */
export function setTheme(chosen: Theme): void {
  localStorage.setItem(CHOICE, chosen);
  showTheme();
}

export function showTheme(): void {
  document.documentElement.dataset.theme = theme();
}
