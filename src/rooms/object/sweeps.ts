// How often an object sweeps for lost connections: every `sweepSeconds` if anybody could notice that one is gone, once
// an hour if nobody could, so that an object with idle clients sleeps on.

import type { RoomSettings } from "../../model/options.ts";
import type { AccountUser } from "../../model/user.ts";
import { mostOfAccount } from "../connection/connection-limits.ts";
import type { ConnectionTable } from "../connection/connection-table.ts";
import { LivenessSweep } from "../connection/liveness-sweep.ts";

/** Pause between sweeps while nobody could notice that a connection is gone. */
const UNWATCHED_SWEEP_MS = 3_600_000;

interface SweepsOptions {
  readonly ctx: Pick<DurableObjectState, "getWebSocketAutoResponseTimestamp">;
  readonly settings: RoomSettings;
  /** Whether anybody could notice that a connection here is gone. */
  isWatched(): boolean;
}

export interface Sweeps {
  /** Made at the first alarm, or the first refusal for too many connections. */
  liveness(): LivenessSweep;
  /** Milliseconds between two sweeps for lost connections, as of now. */
  sweepMs(): number;
}

export function sweepsOf(
  { ctx, settings, isWatched }: SweepsOptions,
  connections: ConnectionTable,
): Sweeps {
  const watchedMs = settings.sweepSeconds * 1000;
  const sweepMs = () => (isWatched() ? watchedMs : Math.max(UNWATCHED_SWEEP_MS, watchedMs));
  let sweep: LivenessSweep | undefined;
  const liveness = () =>
    (sweep ??= new LivenessSweep({ state: ctx, settings, sweepMs, connections }));
  return { liveness, sweepMs };
}

interface Counted extends Pick<Sweeps, "liveness"> {
  readonly connections: Pick<ConnectionTable, "byUser">;
  readonly settings: Pick<RoomSettings, "limits">;
}

/** The number of connections here of the user's account. Ends silent ones first, if there are too many. */
export function countOfAccount(
  { connections: { byUser }, liveness, settings: { limits } }: Counted,
  user: AccountUser,
): number {
  const count = byUser.countOf(user);
  if (count < mostOfAccount(limits, user)) return count;
  liveness().endSilent(user, Date.now());
  return byUser.countOf(user);
}

/** The parts of an object by which others see its connections. */
interface Watchable {
  readonly followed: { readonly rooms: { readonly isReporting: boolean } };
  readonly handlers: { readonly isNone: boolean };
  readonly settings: Pick<RoomSettings, "hasEndHooks">;
  readonly webhooks: object | undefined;
}

/**
 * Whether anything outside of the object depends on the loss of a connection: a room elsewhere that counts its user, a
 * webhook, a hook of the hub, or a call that is under way.
 */
export const isWatchedOutside = ({ followed, handlers, settings, webhooks }: Watchable): boolean =>
  !handlers.isNone || followed.rooms.isReporting || settings.hasEndHooks || webhooks !== undefined;
