// Runs one room with state in memory, for tests of user code: the same steps as in the server, without objects, sockets
// or clocks.

import { callProxy } from "../../model/audiences.ts";
import { HubError } from "../../model/errors.ts";
import { parseTopic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { encodeParams } from "../../protocols/json.ts";
import type { AnyHub } from "../define/hub-definition.ts";
import { servedHub } from "../define/hub-tables.ts";
import type { CalledRoom, RoomSetting } from "./calling-room-types.ts";
import { userOf } from "./default-user.ts";
import { MemoryRoom } from "./memory-room.ts";

/**
 * Runs a room in memory, for tests of its actions.
 *
 * @example
 * const room = callingRoom(AuctionHub, { user: { id: "alice" } });
 * await room.run.bid(120);
 * await room.advance(30);
 * expect(room.state).toMatchObject({ leader: "alice", sold: true });
 */
export function callingRoom<H extends AnyHub>(hub: H, setting: RoomSetting<H> = {}): CalledRoom<H> {
  const served = { ...servedHub(hub), isTested: true };
  if (!served.state) throw new TypeError(`Hub "${hub.name}" has no rooms with state.`);
  const { kind } = served.state.declaration;
  const topic = parseTopic(setting.room ?? `${kind}:test`);
  if (topic.kind !== kind)
    throw new TypeError(
      `Hub "${hub.name}" has state in rooms of kind ${kind}: not in ${setting.room}.`,
    );
  const room = new MemoryRoom(served, topic, setting as RoomSetting<any>);
  return calledAs<H>(room, setting.user === null ? undefined : userOf(setting.user));
}

const calledAs = <H extends AnyHub>(room: MemoryRoom, user: User | undefined): CalledRoom<H> => ({
  as: (other) => calledAs<H>(room, userOf(other)),
  run: runs(async (action, args) => {
    if (!user) throw new HubError("unauthorized", "There is no user.");
    return room.call({ action, args, user });
  }),
  internal: runs((action, args) => room.run({ action, args })),
  get state() {
    return room.state as never;
  },
  get view() {
    return room.view as never;
  },
  patches: room.patches,
  sent: room.sent,
  get scheduled() {
    return room.scheduled;
  },
  advance: (seconds) => room.advance(seconds),
});

const runs = (run: (action: string, args: string) => Promise<unknown>) =>
  callProxy<any>(async (action, args) => run(action, encodeParams(args).params));
