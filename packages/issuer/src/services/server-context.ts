import type { ClockWatch } from "../clock-watch.ts";
import type { IssuerKeys, Sealing } from "../keys/issuer-keys.ts";
import type { StatusListPublisher } from "../lists/status-list-publisher.ts";
import type { TrustListPublisher } from "../lists/trust-list-publisher.ts";
import type { Policies } from "../policy/policies.ts";
import type { Random } from "../ports.ts";
import type { Sources } from "../sources/refresh.ts";
import type { AttemptLimit } from "./attempt-limit.ts";
import type { Backups } from "./backups.ts";
import type { InboxLimit } from "./inbox-limit.ts";
import type { IntakeContext } from "./intake.ts";
import type { IssuingContext } from "./issuing.ts";
import type { PushChannel } from "./push-channel.ts";
import type { ReceiverCredits } from "./receiver-credits.ts";
import type { ReceivingTerms } from "./receiving.ts";
import type { CallContext } from "./signed-calls.ts";

/** Everything that the services stand on, put together once in start.ts. */
export type ServerContext = CallContext &
  IssuingContext &
  IntakeContext & {
    readonly keys: IssuerKeys;
    /** Left out where entries are not sealed, as in simulations. */
    readonly sealing?: Sealing;
    readonly random: Random;
    readonly policies: Policies;
    readonly attempts: AttemptLimit;
    readonly inboxLimit: InboxLimit;
    /** A portion of a streamed upload has to arrive within this time. */
    readonly arrivalTimeoutMs: number;
    readonly trustLists: TrustListPublisher;
    readonly statusLists: StatusListPublisher;
    /** The operator's own systems. */
    readonly sources: Sources;
    /** Tells devices that listen of changes to their accounts. */
    readonly push: PushChannel;
    readonly pushHeartbeatMs: number;
    /** Undefined where the clock is one that may jump, as in tests. */
    readonly clockWatch: ClockWatch | undefined;
    /** Settlement looks into the inbox now rather than at its next turn. */
    readonly wakeWorker: () => void;
    readonly backups: Backups;
    /** The ceilings of people who receive with their wallets; undefined: nobody does here. */
    readonly receiving: ReceivingTerms | undefined;
    readonly credits: ReceiverCredits;
    /** Whether a payee's terminals may give back what was paid, without the operator. */
    readonly tillRefunds: boolean;
  };
