import type { IssuerStore } from "@cairn/stores";
import { booksSuite } from "./issuer-books.suite.ts";
import { certificatesSuite } from "./issuer-certificates.suite.ts";
import { membersSuite } from "./issuer-members.suite.ts";
import { movementsSuite } from "./issuer-movements.suite.ts";
import { settlementSuite } from "./issuer-settlement.suite.ts";

/** May take its time: a database server makes the store's tables first. */
export type OpenStore = () => IssuerStore | Promise<IssuerStore>;

/** What every issuer store must do. `open` gives an empty one each time. */
export function issuerStoreSuite(name: string, open: OpenStore): void {
  membersSuite(name, open);
  certificatesSuite(name, open);
  settlementSuite(name, open);
  booksSuite(name, open);
  movementsSuite(name, open);
}
