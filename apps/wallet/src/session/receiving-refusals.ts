/** How an issuer says that a wallet may not receive. Paying goes on as before: it is told where somebody wants to receive. */
export const RECEIVING_REFUSALS: readonly string[] = [
  "RECEIVING_OFF",
  "RECEIVING_KEYS_FULL",
  "ACCOUNT_FROZEN",
  "CALLER_FROZEN",
  "KEY_ALREADY_ENROLLED",
];

/** Of the key to receive with: the device itself, which has just been heard, is neither blocked nor enrolled twice. */
export const OF_THE_RECEIVING_KEY: readonly string[] = ["CALLER_FROZEN", "KEY_ALREADY_ENROLLED"];
