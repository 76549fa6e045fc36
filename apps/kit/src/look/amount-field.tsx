import { AmountError, type Currency, formatMinor, parseAmount } from "@cairn/messages";
import { useState } from "preact/hooks";

type AmountFieldProps = {
  readonly label: string;
  readonly hint?: string;
  readonly currency: Currency;
  readonly maximumMinor: bigint;
  readonly initialMinor: bigint;
  /** 0 while the text is not an amount, or one above the maximum. */
  readonly onChange: (minor: bigint) => void;
};

/** An amount as text: exact, and with the decimal comma of people who write one. */
export function AmountField({ label, hint, currency, maximumMinor, initialMinor, onChange }: AmountFieldProps) {
  const [text, setText] = useState(initialMinor === 0n ? "" : formatMinor(initialMinor, currency));
  return (
    <label class="field">
      {label} ({currency})
      <input
        inputMode="decimal"
        autocomplete="off"
        dir="ltr"
        value={text}
        onInput={({ currentTarget: { value } }) => {
          setText(value);
          const minor = minorOf(value, currency);
          onChange(minor > maximumMinor ? 0n : minor);
        }}
      />
      {hint !== undefined && <span class="hint">{hint}</span>}
    </label>
  );
}

function minorOf(text: string, currency: Currency): bigint {
  try {
    return parseAmount(text.trim().replace(",", "."), currency).minor;
  } catch (error) {
    if (error instanceof AmountError) return 0n;
    throw error;
  }
}
