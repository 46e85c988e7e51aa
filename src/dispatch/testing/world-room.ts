// A room of a world: log, publish path and presence of a room's object, over memory and the world's clock.

import type { RoomSettings } from "../../model/options.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Outbox } from "../../rooms/delivery/outbox.ts";
import { NoLog } from "../../rooms/log/log-modes.ts";
import type { RoomLog } from "../../rooms/log/room-log.ts";
import { SqliteLog } from "../../rooms/log/sqlite-log.ts";
import type { LocalRoom } from "../../rooms/object/local-room.ts";
import type { Clock } from "../../rooms/platform/loop-timing.ts";
import { PresenceAnnouncer } from "../../rooms/presence/presence-announcer.ts";
import type { UserChanges } from "../../rooms/rpc/presence-view.ts";
import { ownRoom, settingsAt } from "../../rooms/room/own-room.ts";
import { Publisher } from "../../rooms/room/publisher.ts";
import { memoryStorage } from "./memory-storage.ts";
import { soon } from "./world-clock.ts";

export interface WorldRoomOptions {
  readonly topic: Topic;
  readonly hubSettings: RoomSettings;
  readonly clock: Clock;
  /** The outbox of the whole world. */
  readonly outbox: Outbox;
  /** The publishers of all rooms, which the outbox calls before it sends. */
  readonly savers: Set<{ save(): void }>;
  /** Called after joins and leaves were published. */
  changed(change: UserChanges): void;
}

export interface WorldRoom {
  /** As a topic. */
  readonly name: string;
  readonly settings: RoomSettings;
  /** The audience of its messages. */
  readonly members: Set<Connection>;
  readonly log: RoomLog;
  readonly publisher: Publisher;
  readonly presence: PresenceAnnouncer;
  /** The port for readers. */
  readonly own: LocalRoom;
}

export function worldRoom(options: WorldRoomOptions): WorldRoom {
  const { topic, hubSettings, outbox, clock, changed } = options;
  const now = () => clock.now();
  const settings = settingsAt(topic, hubSettings);
  const { sql, transactionSync } = memoryStorage();
  const { durability, history } = settings;
  const log =
    durability === "none" ? new NoLog() : new SqliteLog({ sql, transactionSync }, history, EPOCH);
  const members = new Set<Connection>();
  const publisher = publisherOf(options, { log, members });
  const presence: PresenceAnnouncer = new PresenceAnnouncer({
    ...{ sql, settings, outbox, publisher, changed, now, timer: soon },
    arm: alarmOf(clock, () => presence),
  });
  const own = ownRoom({ topic, settings, log, outbox, presence, now });
  return { name: formatTopic(topic), settings, members, log, publisher, presence, own };
}

/** The epoch of all rooms, so that tests can compare positions. */
const EPOCH = "memory";

const publisherOf = (
  { topic, hubSettings, clock, outbox, savers }: WorldRoomOptions,
  { log, members }: Pick<WorldRoom, "log" | "members">,
): Publisher =>
  new Publisher({
    ...{ topic, log, members, publishBytes: hubSettings.limits.publishBytes },
    now: () => clock.now(),
    outbox: {
      publish: (entry) => outbox.publish(entry),
      get saver() {
        return outbox.saver;
      },
      set saver(saver) {
        if (saver) savers.add(saver);
      },
    },
    ...ALONE,
  });

/** Parts that a world does not need: it has one object, without followers and rooms elsewhere. */
const ALONE = {
  followers: { links: new Map(), publish: () => {} },
  rate: { add: () => {} },
  activity: { isDue: true, note: () => {} },
  elsewhere: unreachable,
};

function unreachable(): never {
  throw new Error("A world reaches all its rooms.");
}

/** An alarm that rings at the earliest requested time, and again while presence has due work. */
function alarmOf(clock: Clock, presence: () => PresenceAnnouncer): (at: number) => void {
  let armedAt = Infinity;
  return function arm(at) {
    if (armedAt <= at) return;
    armedAt = at;
    clock.after(at - clock.now(), () => {
      if (armedAt === at) armedAt = Infinity;
      presence().run(clock.now());
      const due = presence().due();
      if (due !== undefined) arm(due);
    });
  };
}
