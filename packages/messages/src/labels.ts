/**
 * Every integer label of the protocol. Spec: docs/spec/messages.md, section "Labels".
 *
 * Where a CWT claim (RFC 8392, RFC 8747, IETF Token Status List) says what we mean, its registered label is used in
 * every message. The rest of a certificate, which is a true CWT, sits in one private-use claim (below -65536); the
 * rest of the other messages uses the negative one-byte labels below, which belong to Cairn's own message maps.
 */
export const LABEL = {
  subject: 2,
  audience: 3,
  expiresAt: 4,
  issuedAt: 6,
  tokenId: 7,
  confirmation: 8,
  statusList: 65_533,
  timeToLive: 65_534,

  amount: -1,
  currency: -2,
  nonce: -3,
  orderReference: -4,
  sequence: -5,
  spent: -6,
  previous: -7,
  request: -8,
  payment: -9,
  contentHash: -10,

  userTerms: -65_537,
  payeeTerms: -65_538,
  trustedKeys: -65_539,
  listVersion: -65_540,
} as const;

/** RFC 8747 section 3.1: inside the `cnf` claim, label 1 holds a COSE_Key. */
export const CONFIRMATION_COSE_KEY = 1;
