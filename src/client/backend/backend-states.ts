// A room with state, as a service uses it: its state, actions and schedule, and its export as a document.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import type { ActionsOf, RoomOf, ViewOf, Wire } from "../../dispatch/define/hub-types.ts";
import type { Runs } from "../../dispatch/define/stateful-room.ts";
import { callProxy } from "../../model/audiences.ts";
import type { ScheduledAction, StateSnapshot } from "../../model/state-wire.ts";
import { formatPosition, type Position } from "../../model/topic.ts";
import { bodyOf, type SendRequest } from "./backend-requests.ts";
import { exists } from "./backend-rooms.ts";
import { segment } from "./backend-urls.ts";

/** A room as a document, for `import`. */
export interface ExportedRoom {
  /** The version of the hub's state: one more than the number of its migrations. */
  readonly version: number;
  /** `epoch:offset` */
  readonly position: string;
  readonly state: unknown;
  readonly schedule: readonly ScheduledAction[];
  readonly tables: Readonly<Record<string, readonly object[]>>;
}

/** Runs of a room's actions. */
export interface RoomRuns<H extends AnyHub> {
  /** Runs an action, and resolves when its effects are durable. All attempts have one key, so that it runs once. */
  readonly run: Runs<ActionsOf<H>>;
}

/** A room with a state, for services. */
export interface StatefulServiceRoom<H extends AnyHub> extends RoomRuns<H> {
  /** The state as clients see it. */
  view(): Promise<StateSnapshot<ViewOf<H>>>;
  /** The whole state. */
  state(): Promise<StateSnapshot<Wire<RoomOf<H>["state"]>>>;
  /** Actions that run only if the room is still at the position; otherwise they reject with `conflict`. */
  ifAt(position: string): RoomRuns<H>;
  schedule(): Promise<readonly ScheduledAction[]>;
  /**
   * Cancels a scheduled action. False if nothing is scheduled under the id; after a lost answer also if the first
   * attempt has cancelled it.
   */
  cancel(scheduleId: string): Promise<boolean>;
  /** Loads a state that is kept elsewhere once more. Resolves with the position after the change. */
  reload(): Promise<string>;
  /** The room's state, schedule and tables: 16 MiB at most (`too_large`). */
  export(): Promise<ExportedRoom>;
  /**
   * Imports into an empty room; rejects with `conflict` if it is not empty, and with `unreachable` after a lost answer.
   * Resolves with the position after the import.
   */
  import(exported: ExportedRoom): Promise<string>;
  /**
   * Makes this empty room a copy of another: of its present state with the schedule, or of its state at a position,
   * without the schedule. Rejects with `history_gone` if the other's log does not reach back so far.
   */
  fork(from: string, at?: string): Promise<string>;
}

/** Added to `group`, `order` or `user` of a backend if the hub's rooms of this kind have a state. */
export type WithRoomState<H extends AnyHub, K extends string> = [RoomOf<H>] extends [never]
  ? object
  : RoomOf<H>["kind"] extends K
    ? StatefulServiceRoom<H>
    : object;

interface StatefulRoomOptions {
  readonly send: SendRequest;
  /** The path of the room. */
  readonly path: string;
  /** Undefined: a random one for each run. */
  readonly idempotencyKey: string | undefined;
}

type StateAnswer = Position & { readonly state: unknown };
type ScheduleAnswer = {
  readonly schedule: readonly (Omit<ScheduledAction, "args"> & { readonly arguments: unknown[] })[];
};

export function statefulRoomAt<H extends AnyHub>(
  options: StatefulRoomOptions,
): StatefulServiceRoom<H> {
  const { send, path } = options;
  const read = async (whole?: "true") => {
    const request = { method: "GET", path: `${path}/state`, query: { whole } } as const;
    const { state, ...position } = (await send(request)) as StateAnswer;
    return { state: state as never, position: formatPosition(position) };
  };
  /** Requests with a body are sent once: a second attempt would find a room that is no longer empty. */
  const post = async (verb: string, body?: object) => {
    const more = body && { body: bodyOf(body), isOnce: true };
    const answer = await send({ method: "POST", path: `${path}/:${verb}`, ...more });
    return formatPosition(answer as Position);
  };
  return {
    view: () => read(),
    state: () => read("true"),
    run: runsOf(options),
    ifAt: (position) => ({ run: runsOf(options, position) }),
    async schedule() {
      const answer = await send({ method: "GET", path: `${path}/schedule` });
      return (answer as ScheduleAnswer).schedule.map(({ arguments: args, ...one }) => ({
        ...one,
        args,
      }));
    },
    cancel: (id) => exists(send({ method: "DELETE", path: `${path}/schedule/${segment(id)}` })),
    reload: () => post("reload"),
    export: async () => (await send({ method: "GET", path: `${path}/:export` })) as ExportedRoom,
    import: (exported) => post("import", exported),
    fork: (from, at) => post("fork", { from, at }),
  };
}

/** The body is built once, so that all attempts have the same key. */
const runsOf = ({ send, path, idempotencyKey }: StatefulRoomOptions, at?: string) =>
  callProxy<never>(async (action, args) => {
    const body = { arguments: args, idempotency_key: idempotencyKey ?? crypto.randomUUID() };
    const answer = await send({
      ...{ method: "POST", path: `${path}/:run/${segment(action)}`, body: bodyOf(body) },
      ...(at !== undefined && { headers: { "if-match": `"${at}"` } }),
    });
    return (answer as { readonly result: unknown }).result;
  });
