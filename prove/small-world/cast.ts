import {
  type CertificateId,
  chainHashOf,
  type MessageId,
  type MessageKind,
  type OpenPayment,
  openPayment,
  type PayeeCertificate,
  type PayeeCertificateId,
  type PayeeId,
  type Payment,
  type PaymentRequest,
  payment,
  paymentRequest,
  prepareMessage,
  type RequestNonce,
  restoreVerified,
  type StatusList,
  statusBits,
  type TerminalId,
  type UserCertificate,
  userCertificate,
  type Verified,
} from "@cairn/messages";
import { crypto, DAY, id, NOW, certificate as sampleUser, signPayee, signStatusList } from "../../vectors/world.ts";

/** The cast of the small worlds: one account of three coins, three tills of two payees, certificates of up to three coins. */
export { crypto, DAY, NOW };
export const BALANCE_MINOR = 2n;
export const CREDIT_MINOR = 1n;
export const LIMIT_MINOR = 3n;
export const CEILING_MINOR = 2n;
export const REQUEST_SECONDS = 300;
export const OPEN_SECONDS = 60;
export const VALIDITY_SECONDS = 6 * DAY;

/** A message as it stands on a screen. Its signature is a blank: whoever reads it here has verified it before. */
function made<Content>(kind: MessageKind<Content>, content: Content): Verified<Content> {
  const prepared = prepareMessage(kind, content, crypto);
  return restoreVerified(kind, prepared.finish(new Uint8Array(64).fill(1)), crypto);
}

/** The same parts always give the same object: states are compared by what they hold. */
function memo<Key extends readonly (string | number | bigint)[], Value>(
  make: (...key: Key) => Value,
): (...key: Key) => Value {
  const known = new Map<string, Value>();
  return (...key) => {
    const name = key.join(",");
    let value = known.get(name);
    if (value === undefined) {
      value = make(...key);
      known.set(name, value);
    }
    return value;
  };
}

export type Till = {
  readonly index: number;
  readonly terminalId: TerminalId;
  readonly certificate: Verified<PayeeCertificate>;
};

const known = new Map<string, Till>();
/** Two tills of one payee, and one of another between them. `maximumOfflineSeconds`: how old their lists may be. */
export async function tillsOf(count: number, maximumOfflineSeconds: number): Promise<readonly Till[]> {
  const tills: Till[] = [];
  for (let index = 0; index < count; index++) {
    const key = `${index} ${maximumOfflineSeconds}`;
    const till = known.get(key) ?? (await makeTill(index, maximumOfflineSeconds));
    // The same object each time: what is kept of one world is good for the next.
    known.set(key, till);
    tills.push(till);
  }
  return tills;
}

async function makeTill(index: number, maximumOfflineSeconds: number): Promise<Till> {
  const certificate = await signPayee({
    payeeCertificateId: id<PayeeCertificateId>(0xe1 + index, 8),
    payeeId: (index === 1 ? "SHOP-B" : "SHOP-A") as PayeeId,
    expiresAt: NOW + 400 * DAY,
    terms: { perCertificateCapMinor: CEILING_MINOR, maximumOfflineSeconds },
  });
  return { index, terminalId: id<TerminalId>(0x70 + index, 8), certificate };
}

/** The certificate with this number. */
export const certificateOf = memo(
  (number: number, limitMinor: bigint, issuedAt: number): Verified<UserCertificate> =>
    made(userCertificate, {
      ...sampleUser.content,
      certificateId: id<CertificateId>(0xc1 + number, 16),
      issuedAt,
      expiresAt: issuedAt + VALIDITY_SECONDS,
      terms: { ...sampleUser.content.terms, limitMinor, perPaymentCapMinor: limitMinor, statusIndex: number },
    }),
);

export type Asked = { readonly till: Till; readonly request: Verified<PaymentRequest> };
const requests = new Map<string, Asked>();
/** The request with this number, made by a till for an amount at a time: the same one whenever it is asked for. */
export function askedFor(
  till: Till,
  about: { readonly number: number; readonly amountMinor: bigint; readonly issuedAt: number },
): Asked {
  const { number, amountMinor, issuedAt } = about;
  const key = `${till.certificate.messageId} ${number} ${amountMinor} ${issuedAt}`;
  const known = requests.get(key);
  if (known !== undefined) return known;
  const request = made(paymentRequest, {
    payeeCertificateId: till.certificate.content.payeeCertificateId,
    amountMinor,
    currency: till.certificate.content.terms.currency,
    nonce: id<RequestNonce>(0xa0 + number, 8),
    issuedAt,
    expiresAt: issuedAt + REQUEST_SECONDS,
  });
  const asked = { till, request };
  requests.set(key, asked);
  return asked;
}

/** A payment that was made. `agreed`: what its payer said yes to. */
export type Shown = { readonly number: number; readonly certificate: Verified<UserCertificate> } & (
  | {
      readonly kind: "payment";
      readonly payment: Verified<Payment>;
      readonly asked: Asked;
      readonly agreed: { readonly payeeId: PayeeId; readonly amountMinor: bigint };
    }
  | { readonly kind: "open-payment"; readonly payment: Verified<OpenPayment> }
);

const allShown = new Map<string, Shown>();
function kept(key: string, make: (number: number) => Shown): Shown {
  const known = allShown.get(key);
  if (known !== undefined) return known;
  const one = make(allShown.size);
  allShown.set(key, one);
  return one;
}
const contentKey = (content: Payment | OpenPayment): string => Object.values(content).join(" ");

export function shownPayment(
  content: Payment,
  about: { readonly certificate: Verified<UserCertificate>; readonly asked: Asked; readonly agreedMinor?: bigint },
): Shown {
  const { certificate, asked } = about;
  const { payeeId } = asked.till.certificate.content;
  const amountMinor = about.agreedMinor ?? asked.request.content.amountMinor;
  return kept(`${contentKey(content)} ${amountMinor}`, (number) => ({
    number,
    kind: "payment",
    certificate,
    asked,
    agreed: { payeeId, amountMinor },
    payment: made(payment, content),
  }));
}

export function shownOpen(content: OpenPayment, certificate: Verified<UserCertificate>): Shown {
  return kept(contentKey(content), (number) => ({
    number,
    kind: "open-payment",
    certificate,
    payment: made(openPayment, content),
  }));
}

const lists = new Map<string, Verified<StatusList>>();
/** Status lists are few: made before the search begins, since a real one is signed. */
export async function makeLists(times: readonly number[], certificates: number): Promise<void> {
  for (const issuedAt of times)
    for (let mask = 0; mask < 2 ** certificates; mask++) {
      const key = `${issuedAt} ${mask}`;
      if (lists.has(key)) continue;
      const revoked = Array.from({ length: certificates }, (_, number) => number).filter((n) => (mask >> n) % 2 === 1);
      const bits = statusBits({ size: 64, revoked });
      lists.set(key, await signStatusList({ issuedAt, expiresAt: issuedAt + 30 * DAY, bits }));
    }
}
export function listOf(issuedAt: number, revoked: number): Verified<StatusList> {
  const list = lists.get(`${issuedAt} ${revoked}`);
  if (list === undefined) throw new Error("There is no such list.");
  return list;
}

export const rootOf = (certificate: Verified<UserCertificate>) => chainHashOf(certificate.messageId);
export const idOf = (shown: Shown): MessageId => shown.payment.messageId;
