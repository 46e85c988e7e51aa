// The contexts of a room's hooks: smaller than that of a call, since there is no calling connection.

import { ALL, roomTopic, type Topic } from "../../model/topic.ts";
import type { Host } from "../../rooms/object/host.ts";
import { groupTopic } from "../define/group-names.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import type { MemberContext, RoomContext } from "../define/hub-context.ts";
import { clientsOf } from "./call-context.ts";
import type { Messenger } from "./messenger.ts";
import { roomView } from "./room-views.ts";
import type { Runtime } from "../define/runtime.ts";

/** The object in which a hook runs, and the hub of the hook. */
interface RoomHook {
  readonly host: Pick<Host, "rooms">;
  readonly served: ServedHub;
  readonly runtime: Runtime;
}

/** The context of hooks about a room. Its rooms can be read, but there is no connection to put into them. */
export const roomContext = (
  { host: { rooms }, served, runtime }: RoomHook,
  messenger: Messenger,
  room: Topic,
): RoomContext<any> => ({
  ...runtime,
  clients: clientsOf(messenger),
  room,
  all: roomView(rooms, ALL),
  group: (name) => roomView(rooms, groupTopic(served, name)),
  order: (id) => roomView(rooms, roomTopic("order", id)),
});

/** The context of hooks about one user in a room. */
export const memberContext = (
  context: RoomContext<any>,
  { id, trace }: { readonly id: string; readonly trace: string | undefined },
): MemberContext<any> => ({ ...context, user: { id }, trace });
