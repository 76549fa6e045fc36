import type { Partition } from "@cairn/issue";
import { isPayeeId, type PayeeId } from "@cairn/messages";
import { partitionOfId } from "@cairn/stores";
import type { Random } from "../ports.ts";

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const FORM = /^P-[A-Z2-7]{12}$/;

/** Random, and of the account's partition: about 256 tries of a cheap hash. It tells nothing of the account. */
export function makeReceiverId(partition: Partition, random: Random): PayeeId {
  for (;;) {
    let text = "P-";
    for (const byte of random.bytes(12)) text += BASE32[byte & 31];
    if (partitionOfId(text) === partition) return checkedReceiverId(text);
  }
}

/** Whether it looks like one that was made here. An operator may call a shop so, too. */
export const mayBeReceiver = (payeeId: PayeeId): boolean => FORM.test(payeeId);

export function checkedReceiverId(text: string): PayeeId {
  if (!isPayeeId(text)) throw new Error("A payee id of ours has not the form of one.");
  return text;
}
