import { useState } from "preact/hooks";
import { LANGUAGE_NAMES, LANGUAGES, setLanguage, t, useLanguage } from "../language/language.ts";
import { setTheme, THEMES, theme } from "./theme.ts";

/** The choice of language and of colours, which takes effect at once. */
export function LookChoices() {
  const language = useLanguage();
  const [colours, setColours] = useState(theme);
  return (
    <>
      <label class="field">
        {t("settings.language")}
        <select
          value={language}
          onChange={({ currentTarget }) => {
            const chosen = LANGUAGES.find((one) => one === currentTarget.value);
            if (chosen !== undefined) void setLanguage(chosen);
          }}
        >
          {LANGUAGES.map((one) => (
            <option key={one} value={one} lang={one}>
              {LANGUAGE_NAMES[one]}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        {t("settings.theme")}
        <select
          value={colours}
          onChange={({ currentTarget }) => {
            const chosen = THEMES.find((one) => one === currentTarget.value);
            if (chosen === undefined) return;
            setTheme(chosen);
            setColours(chosen);
          }}
        >
          {THEMES.map((one) => (
            <option key={one} value={one}>
              {t(`theme.${one}`)}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}
