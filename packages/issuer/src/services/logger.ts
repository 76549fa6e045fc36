/** What the services tell the operator: ids and counts, never keys, codes, tokens or message bytes. */
export type Logger = {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
};
