// A room's calls, which components may hold before there is a connection: rendering opens none, the first call does.

import type { Connection } from "../client/index.ts";
import { HubError } from "../model/errors.ts";
import type { ClientErrorCode } from "../client/client-errors.ts";
import { named } from "../client/session/method-proxy.ts";
import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { HubCalls } from "../dispatch/define/hub-types.ts";
import type { Place } from "./use-live.ts";

export interface RoomCalls<H extends AnyHub> extends HubCalls<H>, Place<H> {
  /** For all else: history, track, more events. Not while rendering. Throws `closed` where there is no room. */
  connection(): Connection<H>;
}

export function callsIn<H extends AnyHub>({ hub, room }: Place<H>): RoomCalls<H> {
  const connection = (): Connection<H> => {
    if (!room) throw new HubError<ClientErrorCode>("closed", "The component is in no room.");
    const held = hub.hold(room);
    // A component that is there, or is about to be, holds it itself.
    held.release();
    return held.connection;
  };
  return {
    hub,
    room,
    connection,
    invoke: named(async (method, args) => verb(connection().invoke, method)(...args)),
    send: named((method, args) => verb(connection().send, method)(...args)),
    stream: named((method, args) => verb(connection().stream, method)(...args)),
  } as RoomCalls<H>;
}

type Verb = (...args: unknown[]) => unknown;

const verb = (verbs: object, method: string): Verb => (verbs as Record<string, Verb>)[method]!;
