/**
 * How long a used nonce is remembered beyond its expiry, seconds: a server whose clock is set back, or is behind that of
 * another server of the same database, would else take it a second time.
 */
export const NONCE_KEPT_SECONDS = 600;
