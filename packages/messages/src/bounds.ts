/**
 * Every bound of the protocol, each with its reason. Spec: docs/spec/messages.md, section "Bounds".
 * A reader in another language must apply the same numbers: changing one changes what is valid.
 */

/** Largest amount on the wire: the largest integer that every JSON and JavaScript reader holds exactly. */
export const MAXIMUM_MINOR = 9_007_199_254_740_991n;

/** Longest single signed message. A code holds at most about 2,900 bytes; the lists are fetched online and have their own bound. */
export const MAXIMUM_MESSAGE_BYTES = 2048;

/** Longest trust list: some 200 issuer keys. */
export const MAXIMUM_TRUST_LIST_BYTES = 65_536;

/** Longest status list as received (compressed). One million certificates with 0.1 % revoked need 2.8 kB. */
export const MAXIMUM_STATUS_LIST_BYTES = 4_194_304;

/** Longest status list once inflated: 2^26 certificates, one bit each; a larger claim is a decompression bomb. */
export const MAXIMUM_STATUS_LIST_INFLATED_BYTES = 8_388_608;

/** Status indices are uint32 so that a list position always fits the inflated bound of a future, larger list. */
export const MAXIMUM_STATUS_INDEX = 4_294_967_295;

/** Sequence numbers and counters: far above what one certificate can spend, small enough for five bytes. */
export const MAXIMUM_SEQUENCE = 4_294_967_295;

/** Times are whole seconds since 1970; the bound (year 2106) keeps a time in five bytes. */
export const MAXIMUM_TIME_SECONDS = 4_294_967_295;

/** A name is shown large on a small screen, to the payer, before consent. */
export const MAXIMUM_NAME_BYTES = 40;

/** A payee id is printed on receipts and typed by support staff. */
export const MAXIMUM_PAYEE_ID_BYTES = 16;

/** Order references are short: they must fit a code and a receipt line. */
export const MAXIMUM_ORDER_REFERENCE_BYTES = 32;

/** Issuer ids and URLs in the trust list. */
export const MAXIMUM_ISSUER_ID_BYTES = 16;
export const MAXIMUM_URL_BYTES = 200;

/** Issuer keys in one trust list. */
export const MAXIMUM_TRUST_LIST_ENTRIES = 256;

/** How far ahead of the verifier's clock a signed "issued at" may lie: phones without a network drift by minutes. */
export const CLOCK_SKEW_SECONDS = 300;

/** How far the payer's clock may lie from the payee's in a two-way payment. The request's nonce gives freshness, so this only catches broken clocks. */
export const PAYMENT_CLOCK_TOLERANCE_SECONDS = 86_400;

/** Longest life of a payment request: a queue at a till, not an invoice. */
export const MAXIMUM_REQUEST_VALIDITY_SECONDS = 3_600;

/** Longest life of an open payment: it names no request, so a copy of it must die soon. */
export const MAXIMUM_OPEN_PAYMENT_VALIDITY_SECONDS = 300;

/** How far payer and payee clocks may differ for an open payment, whose freshness rests on time alone. */
export const OPEN_PAYMENT_CLOCK_TOLERANCE_SECONDS = 60;

/** Records in one upload or sync: bounds the memory and the time that one call can take. */
export const MAXIMUM_RECORDS = 1_000;

/** Longest body of one upload or sync call. */
export const MAXIMUM_BODY_BYTES = 2_097_152;
