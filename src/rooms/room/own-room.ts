// The room of this object, as the port `LocalRoom` for code that is shared with relays.

import type { RoomSettings } from "../../model/options.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import type { Outbox } from "../delivery/outbox.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { LocalRoom, LocalState } from "../object/local-room.ts";
import type { PresenceAnnouncer } from "../presence/presence-announcer.ts";
import type { HistoryQuery, HistoryView } from "../rpc/log-entry.ts";
import type { PresenceQuery, PresenceView } from "../rpc/presence-view.ts";

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

export class OwnRoom implements LocalRoom {
  readonly #options: OwnRoomOptions;
  readonly topic: Topic;
  readonly name: string;
  readonly state: LocalState | undefined;

  constructor(options: OwnRoomOptions) {
    this.#options = options;
    this.state = options.state;
    this.topic = options.topic;
    this.name = formatTopic(options.topic);
  }

  history(query: HistoryQuery): HistoryView {
    const { log, outbox, settings, now = Date.now } = this.#options;
    outbox.flush(); // Messages that are still queued are in the log then.
    return log.page(query, now(), settings.limits.recovery);
  }

  presence(query: PresenceQuery): PresenceView {
    return this.#options.presence.view(query);
  }

  track(userId: string, state: unknown): void {
    this.#options.presence.track(userId, state);
  }
}
