// Automatic requests of the client over a connection, which are repeated after temporary refusals.

import type { HubError } from "../model/errors.ts";
import { DEFAULTS } from "./model/client-defaults.ts";
import type { State } from "./model/client-state.ts";
import { isTemporary } from "./model/refusal.ts";
import { deferred } from "./platform/deferred.ts";
import type { Listener, Unsubscribe } from "./platform/emitter.ts";
import { after } from "./platform/timer.ts";
import { pauseMs } from "./transport/backoff.ts";

/** The members of any connection that show whether it is still connected. */
export interface StateSource {
  readonly state: State;
  onState(listener: Listener<State>): Unsubscribe;
}

export interface RepeatOptions {
  /** False: no further attempt is made. */
  readonly isWanted: () => boolean;
  /** Called with each error after which another attempt may follow. */
  readonly onRefused?: (error: HubError) => unknown;
  /** Whether to repeat after this error. Default: after all temporary ones. */
  readonly mayRepeat?: (error: HubError) => boolean;
  /** How many times the pause may double. Default: until the limit of the backoff. */
  readonly doublings?: number;
}

/**
 * Attempts until one succeeds, with growing pauses. Rejects with an error that is not temporary, and with the last
 * error if the connection is lost: then the caller starts again after the next greeting. Resolves with undefined once
 * no attempt is wanted.
 */
export async function repeat<T>(
  connection: StateSource,
  attempt: () => Promise<T>,
  { isWanted, onRefused, mayRepeat = isTemporary, doublings = Infinity }: RepeatOptions,
): Promise<T | undefined> {
  for (let failures = 0; isWanted(); failures += 1)
    try {
      // oxlint-disable-next-line no-await-in-loop -- one attempt after another
      return await attempt();
    } catch (error) {
      if (!mayRepeat(error as HubError)) throw error;
      onRefused?.(error as HubError);
      // oxlint-disable-next-line no-await-in-loop -- as above
      if (!(await pauseOf(connection, Math.min(failures, doublings)))) throw error;
    }
  return undefined;
}

/** Resolves with true after the pause for so many failures; with false as soon as the connection is lost or closed. */
export function pauseOf(connection: StateSource, failures: number): Promise<boolean> {
  if (connection.state.status !== "connected") return Promise.resolve(false);
  const { promise, resolve } = deferred<boolean>();
  const end = (isOver: boolean): void => {
    cancel();
    unsubscribe();
    resolve(isOver);
  };
  const cancel = after(pauseMs(failures, DEFAULTS.backoff), () => end(true));
  const unsubscribe = connection.onState(() => end(false));
  return promise;
}
