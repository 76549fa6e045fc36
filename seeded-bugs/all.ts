import type { SeededBug } from "./bug.ts";
import { byteBugs } from "./bugs/bytes.ts";
import { edgeBugs } from "./bugs/edges.ts";
import { guardBugs } from "./bugs/guards.ts";
import { issuerBugs } from "./bugs/issuer.ts";
import { issuingBugs } from "./bugs/issuing.ts";
import { payeeBugs } from "./bugs/payee.ts";
import { payerBugs } from "./bugs/payer.ts";

export const seededBugs: readonly SeededBug[] = [
  ...payerBugs,
  ...payeeBugs,
  ...issuerBugs,
  ...issuingBugs,
  ...edgeBugs,
  ...guardBugs,
  ...byteBugs,
];
