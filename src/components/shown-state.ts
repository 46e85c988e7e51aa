// The state of a room, and its actions, for components. Pages without components that use these do not bundle this
// file.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { ActionsOf, ViewOf } from "../dispatch/define/hub-types.ts";
import type { Runs } from "../dispatch/define/stateful-room.ts";
import { callProxy } from "../model/audiences.ts";
import { stateOf } from "../state/state-of.ts";
import type { Guesses, RoomState } from "../state/state-types.ts";
import type { RoomConnection } from "./hub-at.ts";
import type { HeldRoom, LiveValue, RoomReference } from "./live-values.ts";
import { callsIn, methodOf } from "./room-calls.ts";

/** The picked part of a room's state; undefined before the first snapshot. */
export const pickedState = <H extends AnyHub, T>(
  pick: (state: ViewOf<H>) => T,
): LiveValue<H, T | undefined> => ({
  fallback: undefined,
  listen: (connection, onChange, held) => stateIn(connection, held).onState(onChange),
  read(connection, held) {
    const { state } = stateIn(connection, held);
    return state === undefined ? undefined : pick(state);
  },
});

const stateIn = <H extends AnyHub>(
  connection: RoomConnection<H>,
  { hub, room }: HeldRoom<H>,
): RoomState<H> => stateOf(connection, room, { guesses: hub.guesses as Guesses<H> | undefined });

/** A room's actions: the same function for the same name. Without a room they reject with `closed`. */
export function runsIn<H extends AnyHub>({ hub, room }: RoomReference<H>): Runs<ActionsOf<H>> {
  const calls = callsIn({ hub, room });
  const runs = callProxy(async (action, args) => {
    const connection = calls.connection();
    return methodOf(stateIn(connection, { hub, room: room! }).run, action)(...args);
  });
  const functions = new Map<string | symbol, unknown>();
  return new Proxy(runs, {
    get(target, action) {
      if (!functions.has(action)) functions.set(action, Reflect.get(target, action));
      return functions.get(action);
    },
  }) as Runs<ActionsOf<H>>;
}
