// The state as a part of a room, if the hub gives this kind of room one.

import type { History, RoomSettings } from "../../model/options.ts";
import type { Topic } from "../../model/topic.ts";
import { checkDraft } from "../delivery/outbox.ts";
import { logExpiry } from "../log/open-log.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { ObjectCore } from "../object/object-parts.ts";
import { countRun } from "../observe/counters.ts";
import type { Duty } from "../platform/alarm-agenda.ts";
import type { PresenceAnnouncer } from "../presence/presence-announcer.ts";
import { STATE_TARGET } from "../../model/state-wire.ts";
import { publicEntry, type Entry, type HistoryView } from "../rpc/log-entry.ts";
import type { Present } from "../rpc/presence-view.ts";
import type { StateSpec } from "../rpc/state-rpc.ts";
import { openState, type OpenedState } from "../state/open-state.ts";
import type { RoomState } from "../state/room-state.ts";
import type { Publisher } from "./publisher.ts";
import { ROOM_SCHEMA } from "./room-migrations.ts";

interface StatePartOptions {
  readonly topic: Topic;
  readonly settings: RoomSettings;
  readonly spec: StateSpec | undefined;
  others(): {
    readonly log: RoomLog;
    readonly presence: PresenceAnnouncer;
    readonly publisher: Publisher;
  };
}

interface LogAndState {
  readonly log: RoomLog;
  readonly state: RoomState | undefined;
}

/** The room's state; `others` gives the parts that are built after it. */
export function statePart(
  ctx: DurableObjectState,
  core: Pick<ObjectCore, "activity" | "agenda" | "lanes" | "outbox" | "storage">,
  { topic, settings, spec, others }: StatePartOptions,
): OpenedState | undefined {
  if (!spec || spec.kind !== topic.kind) return undefined;
  const { activity, agenda, lanes, outbox, storage } = core;
  if (spec.updatesPerSecond !== undefined) outbox.limit(spec.updatesPerSecond);
  return openState({
    ...{ spec, topic, settings, storage, agenda },
    now: () => Date.now(),
    sql: ctx.storage.sql,
    ownTables: Object.keys(ROOM_SCHEMA.tables),
    ports: {
      present: () => [...everybody(others().presence)],
      checkDraft: (draft) => checkDraft(draft, settings.limits.publishBytes),
    },
    log: () => others().log,
    publisher: () => others().publisher,
    publish: (elsewhere, draft) => lanes().publish(elsewhere, draft),
    flush: () => outbox.flush(),
    waitUntil: (work) => ctx.waitUntil(work),
    counted(outcome) {
      countRun(activity.counters, outcome);
      activity.note();
    },
  });
}

/** The expiry of entries. A checkpoint first keeps changes of the state that only those entries have. */
export const expiryOf = ({ log, state }: LogAndState, { ttlSeconds: age }: History): Duty =>
  logExpiry(log, state ? { age, before: () => state.checkpoint() } : { age });

/**
 * The missed entries of a client. They come with a snapshot, and without changes of the state, if not all of them can
 * be replayed, if the changes are larger than the state, or if `wantsState`. The state must be ready.
 */
export function withState(
  { state }: Pick<LogAndState, "state">,
  missed: HistoryView,
  wantsState = false,
): HistoryView {
  if (!state) return missed;
  const snapshot = state.snapshot();
  const shown = { ...missed, entries: missed.entries.map(publicEntry) };
  if (!snapshot) return shown;
  const changes = missed.entries.filter(isChange);
  const size = changes.reduce((sum, { params }) => sum + params.length, 0);
  if (!wantsState && missed.recovered && size <= snapshot.text.length) return shown;
  const entries = shown.entries.filter((entry) => !isChange(entry));
  return { ...missed, entries, state: snapshot };
}

const isChange = ({ target }: Entry): boolean => target === STATE_TARGET;

/** All present users, ordered by their ids. */
function* everybody(presence: Pick<PresenceAnnouncer, "view">): Iterable<Present> {
  let after: string | undefined;
  for (;;) {
    const { members, more } = presence.view(after === undefined ? {} : { after });
    yield* members;
    after = members.at(-1)?.userId;
    if (!more || after === undefined) return;
  }
}
