// Runs due scheduled actions. The effects of an action and the removal of its row, or its next time, are one commit: a
// crash before the commit runs the action again, as if it had never run.

import { publicError } from "../../model/errors.ts";
import { logError, logWarning } from "../../model/logger.ts";
import { UNKNOWN_KEPT_MS } from "../platform/storage-version.ts";
import type { Run, Scheduled, StateSpec } from "../rpc/state-rpc.ts";
import { MOST_FAILURES, type ScheduleRows } from "./schedule-rows.ts";
import type { StateStore } from "./state-store.ts";

/** Pauses after the first failure, the second, and so on. */
const PAUSES_MS = [1_000, 5_000, 25_000, 125_000] as const;
/** Error codes of an action that this deploy lacks, or lacks with these arguments: another deploy may have it. */
const UNFIT: ReadonlySet<unknown> = new Set(["method_not_found", "invalid_arguments"]);
/** The least pause of such an action. */
const UNFIT_MS = 10 * 60_000;

interface Performer {
  ready(): Promise<void> | undefined;
  perform(performing: {
    readonly run: Run;
    readonly args: readonly unknown[];
    readonly scheduling: ReadonlyMap<string, Scheduled | undefined>;
    readonly turnKey: string;
  }): unknown;
}

interface Parts {
  readonly spec: Pick<StateSpec, "about" | "prepare" | "next">;
  readonly schedule: ScheduleRows;
  readonly store: Pick<StateStore, "flush">;
  flush(): void;
}

/** Runs due actions in the order of their times. A failure does not affect the others. */
export async function runSchedules(state: Performer, parts: Parts, now: number): Promise<void> {
  const { schedule } = parts;
  if ((schedule.dueAt() ?? Infinity) > now) return;
  await state.ready();
  const due = schedule.all.filter(({ at, failures }) => at <= now && failures < MOST_FAILURES);
  // oxlint-disable-next-line no-await-in-loop -- one after another, in their order
  for (const one of due) await runOne(state, parts, { one, now });
  parts.flush();
  // If the flush was not saved, such as by a `view` that throws, each action is run alone: only one may be the cause.
  const unsaved = due.filter((one) => schedule.get(one.id) === one);
  // oxlint-disable-next-line no-await-in-loop -- as above
  for (const one of unsaved) await runAlone(state, parts, { one, now });
}

async function runAlone(state: Performer, parts: Parts, due: Due): Promise<void> {
  await runOne(state, parts, due);
  parts.flush();
  if (parts.schedule.get(due.one.id) !== due.one) return;
  fail(parts, { ...due, isPrepared: true }, new Error("Its effects could not be saved."));
  parts.flush();
}

interface Due {
  readonly one: Scheduled;
  readonly now: number;
}

async function runOne(state: Performer, parts: Parts, { one, now }: Due): Promise<void> {
  const { spec, schedule } = parts;
  const { id, action } = one;
  const run = { action, args: JSON.stringify(one.args) };
  let isPrepared = false;
  try {
    const args = await spec.prepare(run);
    isPrepared = true;
    // An action that ran meanwhile has cancelled or replaced it.
    if (schedule.get(id) !== one) return;
    const next = nextOf(one, spec, now);
    state.perform({ run, args, scheduling: new Map([[id, next]]), turnKey: `${id}@${one.at}` });
  } catch (error) {
    if (schedule.get(id) === one) fail(parts, { one, now, isPrepared }, error);
  }
}

interface FailedRun extends Due {
  /** The action exists and its arguments are valid: error codes are those of hub code. */
  readonly isPrepared: boolean;
}

/** Notes a failure; the changed row is written with the flush. */
function fail({ schedule, spec, store }: Parts, run: FailedRun, error: unknown): void {
  schedule.put(new Map([[run.one.id, failed({ ...run, ...spec.about }, error)]]));
  store.flush(run.now);
}

function failed(
  { one, now, isPrepared, hub, room }: FailedRun & StateSpec["about"],
  error: unknown,
): Scheduled {
  const isUnfit = !isPrepared && UNFIT.has(publicError(error).code);
  const again = isUnfit ? triedLater(one, now) : retryOf(one, now);
  const about = { hub, room, action: one.action, id: one.id, failures: again.failures, error };
  if (again.failures >= MOST_FAILURES) logError("schedule_given_up", about);
  else logWarning("schedule_failed", about);
  return again;
}

/** The next run of a periodic action: computed from the planned time, however late or often it ran. */
export function nextOf(
  one: Scheduled,
  spec: Pick<StateSpec, "next">,
  now: number,
): Scheduled | undefined {
  const { planned: _, ...rest } = one;
  if (one.every === undefined) return undefined;
  return { ...rest, at: spec.next(one.every, plannedFor(one), now), failures: 0 };
}

/** The retry of an action that has failed. */
export function retryOf(one: Scheduled, now: number): Scheduled {
  const failures = one.failures + 1;
  const pause = PAUSES_MS[failures - 1];
  const at = pause === undefined ? one.at : now + pause;
  return { ...one, failures, at, ...(one.every !== undefined && { planned: plannedFor(one) }) };
}

/** The retry of an unfit action: in growing pauses, so that it runs late by a quarter at most once a deploy has it. */
function triedLater(one: Scheduled, now: number): Scheduled {
  const planned = plannedFor(one);
  const late = now - planned;
  if (late >= UNKNOWN_KEPT_MS) return { ...one, planned, failures: MOST_FAILURES };
  return { ...one, planned, failures: 1, at: now + Math.max(UNFIT_MS, late / 4) };
}

/** A scheduled action for an export: one that is being retried has its planned time, unless it was given up. */
export function documented(one: Scheduled): Scheduled {
  const { planned, ...rest } = one;
  if (planned === undefined || one.failures >= MOST_FAILURES) return rest;
  return { ...rest, at: plannedFor(one), failures: 0 };
}

/** The planned time. An older version may leave a `planned` that is outdated after a success. */
const plannedFor = ({ at, failures, planned = at }: Scheduled): number =>
  failures > 0 ? planned : at;
