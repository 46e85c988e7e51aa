// The contexts of a room's hooks: smaller than that of a call, because there is no calling connection.

import { freezeDeep } from "../../model/plain-json.ts";
import { ALL, topicOfCode, type Topic } from "../../model/topic.ts";
import type { Host } from "../../rooms/object/host.ts";
import { roomFor } from "../define/group-names.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import type { MemberContext, RoomContext } from "../define/hub-context.ts";
import { clientsOf } from "./call-context.ts";
import type { Messenger } from "./messenger.ts";
import { roomView } from "./room-views.ts";
import { statefulRoomOf, withMembers } from "./stateful-rooms.ts";
import type { Runtime } from "../define/runtime.ts";

/** The object in which a hook runs, and the hub of the hook. */
interface RoomHook {
  readonly host: Pick<Host, "rooms" | "states">;
  readonly served: ServedHub;
  readonly runtime: Runtime;
  /** The trace of the connection that has caused the hook, if it had one. */
  readonly trace?: string | undefined;
}

/**
 * The context of hooks about a room. Its rooms can be read, and run their internal actions, but there is no connection
 * to put into them.
 */
export const roomContext = (
  { host, served, runtime, trace }: RoomHook,
  messenger: Messenger,
  room: Topic,
): RoomContext<any> => {
  const viewOf = (topic: Topic) => {
    const view = roomView(host.rooms, topic);
    const state = statefulRoomOf({ host, served, topic, trace });
    return state ? withMembers(view, state) : view;
  };
  return {
    ...runtime,
    clients: clientsOf(messenger),
    room: freezeDeep(room),
    all: viewOf(ALL),
    group: (name) => viewOf(roomFor(served, topicOfCode("group", name))),
    order: (id) => viewOf(topicOfCode("order", id)),
  };
};

/** The context of hooks about one user in a room. */
export const memberContext = (
  context: RoomContext<any>,
  { id, trace }: { readonly id: string; readonly trace: string | undefined },
): MemberContext<any> => ({ ...context, user: { id }, trace });
