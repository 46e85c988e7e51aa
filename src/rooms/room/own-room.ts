// The room of this object, as the port `LocalRoom` for code that is shared with relays.

import type { RoomSettings } from "../../model/options.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { Outbox } from "../delivery/outbox.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { LocalRoom, LocalState } from "../object/local-room.ts";
import type { PresenceAnnouncer } from "../presence/presence-announcer.ts";

interface OwnRoomOptions {
  readonly topic: Topic;
  readonly settings: RoomSettings;
  readonly log: RoomLog;
  readonly outbox: Pick<Outbox, "flush">;
  readonly presence: PresenceAnnouncer;
  readonly state?: LocalState | undefined;
  /** Milliseconds since 1970. */
  now?(): number;
}

/** No connection is attached to a hub's `all` room: it has presence only if the hub's setting `online` is on. */
export const settingsAt = ({ kind }: Topic, settings: RoomSettings): RoomSettings =>
  kind === "all" && !settings.online ? { ...settings, presence: "none" } : settings;

export function ownRoom({
  topic,
  settings,
  log,
  outbox,
  presence,
  state,
  now = () => Date.now(),
}: OwnRoomOptions): LocalRoom {
  return {
    ...{ topic, state, name: formatTopic(topic) },
    history(query) {
      outbox.flush(); // Messages that are still queued are in the log then.
      return log.page(query, now(), settings.limits.recovery);
    },
    presence: (query) => presence.view(query),
    track: (userId, shown) => presence.track(userId, shown),
  };
}
