// The parts of a room's state, and what its actions give to their callers.

import type { HubError } from "../../model/errors.ts";
import type { RoomLog } from "../log/room-log.ts";
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

/** The room's publisher, as its state uses it. */
export interface StatePublisher {
  /** The offset of the newest entry, saved or not. */
  readonly newest: Position;
  /** `at`: the time of the entry. */
  append(draft: Draft, at: number): { readonly error: HubError | null };
  /** Saves what was numbered until now; `isAtOnce`: also in a log that is written behind. */
  save(isAtOnce?: boolean): void;
  /** Done when tickets until now are final. */
  untilSaved(): Promise<void>;
  /** Whether the room has changed since: by messages or by its state. */
  stands(at: Position): boolean;
}

export interface RoomStateParts {
  readonly topic: Topic;
  readonly spec: StateSpec;
  readonly storage: Pick<PartStorage, "transactionSync">;
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
  /** Sends what was published, after it was saved. */
  flush(): void;
  arm(at: number): void;
  /** From then on `arm` takes effect in its own turn. */
  knowAlarm(): void;
  /** For metrics: `done`, `repeated`, or the code of a run's error. */
  counted(outcome: string): void;
  now(): number;
}

/** A run that is done in memory; `ticket` says after the next flush whether it was saved. */
export interface FinishedRun {
  /** JSON text. */
  readonly result: string;
  readonly position: Position;
  readonly repeated: boolean;
  readonly ticket: { readonly error: HubError | null };
}

/** One run, and what is scheduled in its place where the clock runs it. */
export interface PlannedRun {
  readonly run: Run;
  readonly args: readonly unknown[];
  readonly scheduling?: ReadonlyMap<string, Scheduled | undefined>;
  /** In place of a random key. */
  readonly turnKey?: string;
}
