/**
 * One small world: who is in it and what can happen. Everything that can happen is tried in every order, so each world
 * has few things that can happen. Worlds differ in which.
 */
export type SmallWorld = {
  readonly name: string;
  /** What of the promises it looks at, for the table in docs/security/small-worlds.md. */
  readonly about: string;
  /** Most payments that are made, two-way and open together. */
  readonly payments: number;
  readonly tills: 1 | 2 | 3;
  /** Most images of the one device: more than one is a copied device. Default 1. */
  readonly images?: number;
  /** The device's key is out: signs any number, running total and closing. */
  readonly keyIsOut?: boolean;
  /** With the key: sequence numbers that it signs. Default 1 and 2. */
  readonly forgedNumbers?: readonly number[];
  /** The last till uploads, voids and claims whatever it likes. */
  readonly evilTill?: boolean;
  /** Amounts that are asked for, two-way; default one coin or two. None: no two-way payments. */
  readonly amounts?: readonly bigint[];
  /** Maxima of open payments; default none. */
  readonly maxima?: readonly bigint[];
  /** An open payment may also name its payee. */
  readonly audience?: boolean;
  /** The moments at which anything happens, seconds after the beginning; time goes from one to the next. Default: it stands still. */
  readonly moments?: readonly number[];
  /** Tills give requests up; payers show the void. */
  readonly voids?: boolean;
  /** Payers bring receipts, beside their own copies. */
  readonly receipts?: boolean;
  /** The operator withdraws certificates, tills fetch lists; a list may be this old, seconds. */
  readonly maximumOfflineSeconds?: number;
  /** The wallet stops between storing a payment and signing it. */
  readonly crashes?: boolean;
  /** Certificates in all: more than one are renewed, with closings. Default 1. */
  readonly certificates?: number;
  /** How much of a closing's rest the policy gives back at once. Default 100. */
  readonly releasedPercent?: number;
  /** The account's owner draws money while certificates are out. */
  readonly withdrawals?: boolean;
  /** Payers agree to other amounts, payees and requests than they are then asked for. */
  readonly consents?: boolean;
};

/** Nobody tries what is not in the world. */
export const isHonestDevice = (world: SmallWorld): boolean => (world.images ?? 1) === 1 && world.keyIsOut !== true;
export const isEvil = (world: SmallWorld, till: number): boolean => world.evilTill === true && till === world.tills - 1;

/** Amounts that open payments are captured for, also more than the maximum. */
export const capturesOf = ({ maxima = [] }: SmallWorld): readonly bigint[] => [...new Set([1n, ...maxima, 3n])];
