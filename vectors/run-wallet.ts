import { compressedPoint } from "@cairn/cose";
import { restoreVerified, statusList, trustList } from "@cairn/messages";
import { reviewRequest } from "@cairn/pay";
import { MemoryWalletStore } from "@cairn/stores";
import { type JsonObject, toJsonObject } from "./case.ts";
import { bytesAt, RefusedError, textAt } from "./run-case.ts";
import { crypto, device, EUR, rootKeyBytes, signStatusList } from "./world.ts";

/** Shows the request to a real wallet that holds the case's trust list. */
export async function reviewAtWallet(input: JsonObject): Promise<JsonObject> {
  const store = new MemoryWalletStore();
  const list = restoreVerified(trustList, bytesAt(input, "trustList"), crypto);
  const identity = {
    deviceKey: compressedPoint(device.publicKey),
    rootKey: rootKeyBytes,
    issuerId: "harbour-bank",
    issuerName: "Harbour Bank",
    currency: EUR,
    trustList: list.bytes,
    statusList: restoreVerified(statusList, (await signStatusList()).bytes, crypto).bytes,
    newestSeen: list.content.issuedAt,
  };
  await store.commit({ kind: "none" }, () => ({ result: undefined, writes: [{ kind: "identity", identity }] }));
  const clock = { nowSeconds: () => Number(input.now) };
  const review = await reviewRequest({ store, signer: device, crypto, clock }, textAt(input, "code"));
  if (review.kind === "refused") throw new RefusedError(review.refusal);
  const { requestId, payeeId, payeeName, amount, orderReference, expiresAt } = review;
  const { minor: amountMinor, currency } = amount;
  return toJsonObject({ requestId, payeeId, payeeName, amountMinor, currency, orderReference, expiresAt });
}
