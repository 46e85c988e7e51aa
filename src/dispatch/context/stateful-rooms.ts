// Rooms with state in a context of hub code: `order("42").state()`, `.run.ship("DHL")`, `.internal.paid(id)`.

import { callProxy } from "../../model/audiences.ts";
import { HubError } from "../../model/errors.ts";
import type { Topic } from "../../model/topic.ts";
import { traceOf } from "../../model/trace.ts";
import { encodeParams } from "../../protocols/json.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import type { StatefulRoom } from "../define/stateful-room.ts";

interface StatefulRoomOptions {
  readonly host: Pick<Host, "states">;
  readonly served: ServedHub;
  readonly topic: Topic;
  /** The connection whose call this is: actions run as its user. Absent in hooks of rooms, which run internal ones. */
  readonly caller?: Connection;
  /** The trace of a room's hook, for its messages. */
  readonly trace?: string | undefined;
}

/** The room with its state; undefined if rooms of this kind have none. */
export function statefulRoomOf(options: StatefulRoomOptions): StatefulRoom<any, any> | undefined {
  const { host, served, topic, caller } = options;
  if (served.state?.declaration.kind !== topic.kind) return undefined;
  const { states } = host;
  const call = (action: string, args: readonly unknown[], isInternal: boolean) => {
    if (!isInternal && !caller)
      throw new HubError("forbidden", "A hook of a room has no user: run an internal action.");
    const { params } = encodeParams(args);
    const by = isInternal ? {} : { user: caller!.user, connection: caller!.id };
    const trace = traceOf(caller ? caller.attached : options);
    return states.runAndSave(topic, { action, args: params, ...by, ...trace }, caller);
  };
  const runs = (isInternal: boolean) =>
    callProxy<any>(async (action, args) => {
      const { result } = await call(action, args, isInternal);
      return JSON.parse(result);
    });
  return {
    async state() {
      const { text, position } = await states.state(topic);
      return { state: JSON.parse(text), position };
    },
    get run() {
      return runs(false);
    },
    get internal() {
      return runs(true);
    },
    reload: () => states.reload(topic),
  };
}

/** The first with the members of the second, getters as getters. */
export const withMembers = <T extends object, U extends object>(one: T, other: U): T & U =>
  Object.defineProperties(one, Object.getOwnPropertyDescriptors(other)) as T & U;
