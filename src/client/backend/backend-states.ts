// A room with state as a service uses it: read it, run its actions, and its schedule and documents.

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
  /** Of the hub's state: one more than it had migrations. */
  readonly version: number;
  /** `epoch:offset` */
  readonly position: string;
  readonly state: unknown;
  readonly schedule: readonly ScheduledAction[];
  readonly tables: Readonly<Record<string, readonly object[]>>;
}

/** Runs of a room's actions. */
export interface RoomRuns<H extends AnyHub> {
  /** Runs an action: done when it is durable. Attempts share a key, so that it is done once. */
  readonly run: Runs<ActionsOf<H>>;
}

/** A room with a state, for services. */
export interface StatefulServiceRoom<H extends AnyHub> extends RoomRuns<H> {
  /** What clients see. */
  view(): Promise<StateSnapshot<ViewOf<H>>>;
  /** All of it. */
  state(): Promise<StateSnapshot<Wire<RoomOf<H>["state"]>>>;
  /** Actions that run only where the room still stands at the position; else they reject with `conflict`. */
  ifAt(position: string): RoomRuns<H>;
  schedule(): Promise<readonly ScheduledAction[]>;
  /**
   * False where nothing is scheduled under the id. After a lost answer that may be the effect of the first attempt,
   * which cannot be distinguished from an action that has run.
   */
  cancel(scheduleId: string): Promise<boolean>;
  /** Loads a state that lives elsewhere again. Resolves with the position after the difference. */
  reload(): Promise<string>;
  /** State, schedule and tables: 16 MiB at most (`too_large`). */
  export(): Promise<ExportedRoom>;
  /**
   * Into a room that holds nothing, else `conflict`. Resolves with the position after it. A lost answer: `unreachable`.
   */
  import(exported: ExportedRoom): Promise<string>;
  /**
   * Makes this room, which holds nothing, a copy of another: as that is now, or where it stood at a position, then
   * without its schedule. Rejects with `history_gone` where the other's log does not reach back so far.
   */
  fork(from: string, at?: string): Promise<string>;
}

/** `group`, `order` and `user` of a backend have it where the hub's rooms of this kind have a state. */
export type WithRoomState<H extends AnyHub, K extends string> = [RoomOf<H>] extends [never]
  ? object
  : RoomOf<H>["kind"] extends K
    ? StatefulServiceRoom<H>
    : object;

interface StatefulRoomOptions {
  readonly send: SendRequest;
  /** That of the room. */
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
  /** With a body once: a room that holds something since the first attempt would refuse the second. */
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

/** The body is built once for all attempts: all have the same key. */
const runsOf = ({ send, path, idempotencyKey }: StatefulRoomOptions, at?: string) =>
  callProxy<never>(async (action, args) => {
    const body = { arguments: args, idempotency_key: idempotencyKey ?? crypto.randomUUID() };
    const answer = await send({
      ...{ method: "POST", path: `${path}/:run/${segment(action)}`, body: bodyOf(body) },
      ...(at !== undefined && { headers: { "if-match": `"${at}"` } }),
    });
    // Nothing is `undefined` for code that returns nothing.
    return (answer as { readonly result: unknown }).result ?? undefined;
  });
