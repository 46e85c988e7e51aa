// A room's calls for components. They exist before the connection does: rendering must not open one, so that it is
// opened by the first call or by the component's first effect.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { HubCalls, PresenceStateOf } from "../dispatch/define/hub-types.ts";
import { HubError } from "../model/errors.ts";
import type { ClientErrorCode } from "../client/model/client-errors.ts";
import { callProxy } from "../model/audiences.ts";
import type { RoomConnection } from "./hub-at.ts";
import type { RoomReference } from "./live-values.ts";

/** The calls of a component in its room. Without a room they reject with `closed`. */
export interface RoomCalls<H extends AnyHub> extends HubCalls<H>, RoomReference<H> {
  /** The connection, for history and further events. Not to be called while rendering. Throws `closed`. */
  connection(): RoomConnection<H>;
  /** Sets the state that others in the room see of this user; undefined removes it. */
  track(state: PresenceStateOf<H> | undefined): Promise<void>;
}

/** Calls without a room reject with `closed`, or throw it if they return no promise. */
export function callsIn<H extends AnyHub>({ hub, room }: RoomReference<H>): RoomCalls<H> {
  const connection = (): RoomConnection<H> => {
    if (!room) throw new HubError<ClientErrorCode>("closed", "The component is in no room.");
    const held = hub.hold(room);
    // Released at once: a mounted component holds the connection itself, and one that is about to mount holds it before
    // the delayed close.
    held.release();
    return held.connection;
  };
  return {
    hub,
    room,
    connection,
    track: async (state: PresenceStateOf<H> | undefined) =>
      state === undefined ? connection().untrack() : connection().track(state),
    invoke: callProxy(async (name, args) => methodOf(connection().invoke, name)(...args)),
    send: callProxy((name, args) => methodOf(connection().send, name)(...args)),
    stream: callProxy((name, args) => methodOf(connection().stream, name)(...args)),
  } as RoomCalls<H>;
}

type Method = (...args: unknown[]) => unknown;

export const methodOf = (methods: object, name: string): Method =>
  (methods as Record<string, Method>)[name]!;
