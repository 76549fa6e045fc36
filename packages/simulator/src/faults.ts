/** What can go wrong, by the name that `--faults` takes. */
export const FAULTS = {
  crashes: "phones, terminals, the server and its worker are killed, most of all while they write to the disk",
  network: "messages to and from the server are lost, come twice, late, or in another order",
  clocks: "clocks run ahead or behind, and some are set back",
  "lost-phones": "phones are lost, reported and replaced, and finders go on paying",
  "cloned-phones": "whole phones are copied, and both go on paying",
  "restored-phones": "phones are set back to an older state and go on paying",
  "extracted-keys": "device keys are taken out of phones and sign what they like",
  "false-closings": "a device says that little was spent, gets a new certificate and spends both",
  "colluding-payees": "terminals take what they should refuse and bring what they never accepted",
  replays: "codes and uploads are shown and sent again, by anybody, to anybody",
  "key-rotation": "the issuer's key is replaced, and withdrawn when it was compromised",
  "stale-lists": "terminals stay away from the network for days",
  "last-seconds": "terminals bring payments, and take those of a lost phone, in the very last second that is allowed",
  "stolen-issuer-keys": "a thief of the issuer's signing key signs certificates of its own, and pays with them",
  "mistaken-apps": "an app shows its owner one price or payee and hands the wallet another",
} as const;
export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

/** What makes a device dishonest, so that it may be blamed. */
export const DISHONEST: ReadonlySet<FaultKind> = new Set([
  "cloned-phones",
  "restored-phones",
  "extracted-keys",
  "false-closings",
  "colluding-payees",
]);
