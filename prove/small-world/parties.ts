import {
  chainHashOf,
  type MessageId,
  type PayeeCertificate,
  type PayeeCertificateId,
  type PayeeId,
  type Payment,
  type PaymentRequest,
  payment,
  prepareMessage,
  type RequestNonce,
  requestHashOf,
  restoreVerified,
  type TerminalId,
  type Verified,
} from "@cairn/messages";
import { crypto, id, NOW, signPayee, signRequest, signStatusList, signUser } from "../../vectors/world.ts";

/** The cast of the small world: one certificate of three coins, two tills of two payees, requests of one coin or two. */
export const LIMIT_MINOR = 3n;
export const BALANCE_MINOR = 2n;
export const CREDIT_MINOR = 1n;
export const CEILING_MINOR = 2n;
export const AMOUNTS = [1n, 2n];

export const certificate = await signUser({ terms: { limitMinor: LIMIT_MINOR, perPaymentCapMinor: LIMIT_MINOR } });
export const statusList = await signStatusList();

export type Till = {
  readonly index: number;
  readonly terminalId: TerminalId;
  readonly certificate: Verified<PayeeCertificate>;
};
export const tills: readonly Till[] = await Promise.all(
  [0, 1].map(async (index) => ({
    index,
    terminalId: id<TerminalId>(0x70 + index, 8),
    certificate: await signPayee({
      payeeCertificateId: id<PayeeCertificateId>(0xe1 + index, 8),
      payeeId: `SHOP-${index}` as PayeeId,
      terms: { perCertificateCapMinor: CEILING_MINOR },
    }),
  })),
);

export type Asked = {
  readonly till: Till;
  readonly request: Verified<PaymentRequest>;
};
/** The request with this number at this till for this amount: the same one whenever it is asked for. */
export async function makeRequests(
  most: number,
): Promise<(number: number, till: number, amountMinor: bigint) => Asked> {
  const made = new Map<string, Asked>();
  for (let number = 0; number < most; number++)
    for (const till of tills)
      for (const amountMinor of AMOUNTS) {
        const request = await signRequest({
          payeeCertificateId: till.certificate.content.payeeCertificateId,
          amountMinor,
          nonce: id<RequestNonce>(0xa0 + number, 8),
        });
        made.set(`${number} ${till.index} ${amountMinor}`, { till, request });
      }
  return (number, till, amountMinor) => {
    const asked = made.get(`${number} ${till} ${amountMinor}`);
    if (asked === undefined) throw new Error("There is no such request.");
    return asked;
  };
}

/** A payment as it stands on the screen. Its signature is a blank: whoever reads it here has verified it before. */
export function shown(content: Payment): Verified<Payment> {
  const prepared = prepareMessage(payment, content, crypto);
  return restoreVerified(payment, prepared.finish(new Uint8Array(64).fill(1)), crypto);
}

export const ROOT = chainHashOf(certificate.messageId);
export const hashOf = (requestId: MessageId) => requestHashOf(requestId);
export { crypto, NOW };
