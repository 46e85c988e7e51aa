// The parts of a room's state, and the results of its actions.

import type { HubError } from "../../model/errors.ts";
import type { RoomLog } from "../log/room-log.ts";
import type { AlarmAgenda } from "../platform/alarm-agenda.ts";
import type { PartStorage } from "../../model/stored-values.ts";
import type { Position, Topic } from "../../model/topic.ts";
import type { Draft } from "../rpc/log-entry.ts";
import type { Run, Scheduled, StateSpec } from "../rpc/state-rpc.ts";
import type { TurnPorts } from "./action-turn.ts";
import type { ExternalState } from "./external-state.ts";
import type { OutgoingMessages } from "./outgoing-messages.ts";
import type { RoomTables } from "./room-tables.ts";
import type { RunMemory } from "./run-memory.ts";
import type { ScheduleRows } from "./schedule-rows.ts";
import type { StateCommit } from "./state-commit.ts";
import type { StateRows } from "./state-rows.ts";
import type { StateStore } from "./state-store.ts";

/** The part of the room's publisher that the state uses. */
export interface StatePublisher {
  /** The offset of the newest entry, saved or not. */
  readonly newest: Position;
  /** `at`: the time of the entry. */
  append(draft: Draft, at: number): { readonly error: HubError | null };
  /** Saves all numbered publications; `isAtOnce`: also with `durability: "behind"`. */
  save(isAtOnce?: boolean): void;
  /** Resolves when all tickets so far are final. */
  untilSaved(): Promise<void>;
  /** Whether the room has neither messages nor changes of its state after this position. */
  stands(at: Position): boolean;
}

export interface RoomStateParts {
  readonly topic: Topic;
  readonly spec: StateSpec;
  readonly storage: Pick<PartStorage, "sql" | "transactionSync">;
  readonly store: StateStore;
  readonly commit: StateCommit;
  readonly rows: StateRows;
  readonly runs: RunMemory;
  readonly schedule: ScheduleRows;
  readonly outgoing: OutgoingMessages;
  readonly external: ExternalState;
  readonly tables: RoomTables;
  readonly ports: TurnPorts;
  publisher(): StatePublisher;
  log(): RoomLog;
  /** Saves publications, then sends them. */
  flush(): void;
  readonly agenda: Pick<AlarmAgenda, "arm" | "know">;
  /** Counts a run for metrics: `done`, `repeated`, or the code of its error. */
  counted(outcome: string): void;
  now(): number;
}

/** A run that is done in memory; after the next flush `ticket` shows whether it was saved. */
export interface FinishedRun {
  /** JSON text. */
  readonly result: string;
  readonly position: Position;
  readonly repeated: boolean;
  readonly ticket: { readonly error: HubError | null };
}

/** One run. `scheduling`: for a run of the schedule, its next time or removal. */
export interface PlannedRun {
  readonly run: Run;
  readonly args: readonly unknown[];
  readonly scheduling?: ReadonlyMap<string, Scheduled | undefined>;
  /** The key of a run of the schedule, instead of a random one. */
  readonly turnKey?: string;
}
