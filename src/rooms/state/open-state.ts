// Builds the parts of a room's state, in the constructor of its object: nothing is read until the first use.

import type { RoomSettings } from "../../model/options.ts";
import { STATE_TARGET } from "../../model/state-wire.ts";
import type { Topic } from "../../model/topic.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { AlarmAgenda } from "../platform/alarm-agenda.ts";
import type { ObjectStorage } from "../platform/object-storage.ts";
import type { Draft } from "../rpc/log-entry.ts";
import type { StateSpec } from "../rpc/state-rpc.ts";
import type { TurnPorts } from "./action-turn.ts";
import { ExternalState } from "./external-state.ts";
import { OutgoingMessages } from "./outgoing-messages.ts";
import { RoomState } from "./room-state.ts";
import { RoomTables } from "./room-tables.ts";
import { RunMemory } from "./run-memory.ts";
import { ScheduleRows } from "./schedule-rows.ts";
import { StateCommit } from "./state-commit.ts";
import type { StatePublisher } from "./state-parts.ts";
import type { ReservedEntry } from "./state-flush.ts";
import { StateRows } from "./state-rows.ts";
import { StateStore } from "./state-store.ts";

interface OpenStateOptions {
  readonly spec: StateSpec;
  readonly topic: Topic;
  readonly settings: RoomSettings;
  readonly storage: ObjectStorage;
  /** The whole database, for tables of the hub. */
  readonly sql: Pick<SqlStorage, "exec">;
  /** The names of the object's own tables. */
  readonly ownTables: readonly string[];
  readonly agenda: Pick<AlarmAgenda, "arm" | "know">;
  readonly ports: Omit<TurnPorts, "scheduled" | "sql">;
  /** The log and the publisher are built after the state. */
  log(): RoomLog;
  publisher(): StatePublisher & { reserve(draft: Draft, at: number): ReservedEntry };
  /** Publishes in a room elsewhere. */
  publish(topic: Topic, draft: Draft): Promise<unknown>;
  flush(): void;
  waitUntil(work: Promise<unknown>): void;
  /** Counts a run: `done`, `repeated`, or the code of its error. `unsaved`: a save elsewhere has failed. */
  counted(outcome: string): void;
  now(): number;
}

/**
 * Runs statements of the hub in the whole database, which has the hub's tables. Throws for a hub without `tables`,
 * because its actions run without a transaction.
 */
const hubSql = ({ spec, sql, storage }: OpenStateOptions): TurnPorts["sql"] => ({
  exec(query, ...values) {
    if (spec.tables.length === 0) throw new TypeError("The hub declares no `tables` for its SQL.");
    storage.create();
    return sql.exec(query, ...values);
  },
});

export interface OpenedState {
  readonly state: RoomState;
  /** Size of the stored state, for metrics. */
  bytes(): number | undefined;
  /** Called when the log has lost entries: the state may differ from the one that was saved elsewhere. */
  resave(): void;
  /** The port for the log, which writes its rows together with those of the state. */
  readonly commit: StateCommit;
}

export function openState(options: OpenStateOptions): OpenedState {
  const { agenda, log, now, publisher, settings, spec, storage, topic, waitUntil } = options;
  const { sql } = storage;
  const arm = (at: number) => agenda.arm(at);
  const rows = new StateRows(sql, settings.history, settings.durability !== "none");
  const runs = new RunMemory(sql);
  const schedule = new ScheduleRows(sql, settings.limits.schedulesPerRoom);
  const { outgoingMessages: messages, outgoingBytes: bytes, stateBytes } = settings.limits;
  const outgoing = new OutgoingMessages({
    ...{ sql, publish: options.publish, waitUntil, arm },
    most: { messages, bytes },
  });
  const store = new StateStore({
    ...{ storage, spec, log, rows, runs, outgoing, now },
    bytesAtMost: stateBytes,
    reserve: (at) => publisher().reserve({ target: STATE_TARGET, params: "" }, at),
  });
  const commit = new StateCommit({
    ...{ storage, store, rows, runs, schedule, outgoing, log, now },
    ...{ version: spec.version, history: settings.history },
  });
  const external = new ExternalState({
    ...{ spec, store, rows, kv: storage.kv, arm, waitUntil, counted: options.counted },
    position: () => log().position,
  });
  const { ownTables: own } = options;
  const tables = new RoomTables({ tables: spec.tables, own, storage, sql: options.sql });
  const ports = { ...options.ports, sql: hubSql(options), scheduled: () => schedule.all };
  const state = new RoomState({
    ...{ topic, spec, storage, store, commit, rows, runs, schedule, outgoing, external, tables },
    ...{ ports, publisher, log, agenda, now, flush: options.flush, counted: options.counted },
  });
  return { state, commit, bytes: () => rows.bytes, resave: () => external.resave() };
}
