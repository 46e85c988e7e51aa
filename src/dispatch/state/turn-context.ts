// The context of an action, over the turn in which it runs.

import { callProxy, type SendCall } from "../../model/audiences.ts";
import { HubError } from "../../model/errors.ts";
import { freezeDeep } from "../../model/plain-json.ts";
import { ALL, topicOfCode, type Topic } from "../../model/topic.ts";
import { traceOf } from "../../model/trace.ts";
import { encodeParams } from "../../protocols/json.ts";
import { copyOf } from "../../rooms/rpc/presence-view.ts";
import type { Run, Turn } from "../../rooms/rpc/state-rpc.ts";
import type {
  ActionClients,
  ActionContext,
  ActionSends,
  ActionSql,
  Schedule,
  Scheduling,
} from "../define/action-context.ts";
import { nextTime } from "../define/cron-times.ts";
import { roomFor } from "../define/group-names.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import type { MessageCheck } from "../define/outgoing-check.ts";

/** Characters of a schedule's id. */
const ID_CHARS = 128;

/** The hub, the check of its messages, if there is one, and the trace that they have, if any. */
interface Sender {
  readonly served: ServedHub;
  readonly check: MessageCheck | undefined;
  readonly trace: string | undefined;
}

/** Members are getters: most actions use two or three of them. */
export class TurnContext implements ActionContext<any> {
  readonly #sender: Sender;
  readonly #run: Run;
  readonly #turn: Turn;

  constructor(sender: Sender, run: Run, turn: Turn) {
    [this.#sender, this.#run, this.#turn] = [sender, run, turn];
  }
  get state() {
    return this.#turn.draft.state;
  }
  set state(state: any) {
    this.#turn.draft.state = state;
  }
  get was(): any {
    return this.#turn.was;
  }
  get clients(): ActionClients<any> {
    return clientsOf(this.#sender, this.#turn);
  }
  get schedule(): Schedule<any> {
    return scheduleOf(this.#sender.served, this.#turn);
  }
  get sql(): ActionSql {
    return (text, ...values) =>
      this.#turn
        .sql(
          text.join("?"),
          // The database takes and returns buffers.
          values.map((value) => (value instanceof Uint8Array ? value.slice().buffer : value)),
        )
        .map(withViews) as never;
  }
  get room() {
    return freezeDeep(this.#turn.room);
  }
  get present() {
    return this.#turn.present.map(copyOf);
  }
  get now() {
    return this.#turn.now;
  }
  get key() {
    return this.#turn.key;
  }
  get trace() {
    return this.#run.trace;
  }
  /** Absent in internal actions, whose type has none. */
  get user() {
    return freezeDeep(this.#run.user!);
  }
  get connectionId() {
    return this.#run.connection;
  }
}

/** Replaces the buffers of a row by bytes, in place, because no other code has the row. */
function withViews(row: object): object {
  for (const [column, value] of Object.entries(row))
    if (value instanceof ArrayBuffer) Reflect.set(row, column, new Uint8Array(value));
  return row;
}

function clientsOf(sender: Sender, turn: Turn, except: readonly string[] = []): ActionClients<any> {
  const to = (topics: readonly Topic[]): ActionSends<any> =>
    callProxy<any>(((target, args) => {
      sender.check?.(target, args);
      for (const topic of topics)
        turn.publish(roomFor(sender.served, topic), {
          target,
          ...encodeParams(args),
          ...(except.length > 0 && { except }),
          ...traceOf(sender),
        });
    }) as (...call: Parameters<SendCall>) => never);
  const named =
    (kind: string) =>
    (...names: string[]) =>
      to([...new Set(names)].map((name) => topicOfCode(kind, name)));
  return {
    get room() {
      return to([turn.room]);
    },
    get all() {
      return to([ALL]);
    },
    group: named("group"),
    order: named("order"),
    user: named("user"),
    except: (...ids) => clientsOf(sender, turn, [...except, ...ids]),
  };
}

/** The schedule of a turn. A wrong time or name is an error of the hub's author: it throws a `TypeError`. */
function scheduleOf(served: ServedHub, turn: Turn): Schedule<any> {
  const due = (at: number, id: string | undefined, every?: number | string): Scheduling<any> =>
    callProxy<any>(((action: string, args: unknown[]) => {
      if (!served.state?.internal.has(action))
        throw new TypeError(`There is no internal action ${action}.`);
      const name = id ?? action;
      if (name.length > ID_CHARS)
        throw new HubError("invalid_name", "A schedule's id is too long.");
      const more = every === undefined ? {} : { every };
      turn.schedule(name, { id: name, action, args, at: finite(at), failures: 0, ...more });
    }) as never);
  return {
    in: (seconds, id) => due(turn.now + millisecondsOf(seconds), id),
    at: (time, id) => due(time instanceof Date ? time.getTime() : time, id),
    every: (period, id) => due(nextTime(period, turn.now, turn.now), id, period),
    cancel: (id) => turn.schedule(id, undefined),
    get pending() {
      return turn.scheduled;
    },
  };
}

function millisecondsOf(seconds: number): number {
  if (!(seconds >= 0)) throw new TypeError("Seconds from now are zero or more.");
  return seconds * 1000;
}

/** A time that is not finite has no JSON: its row would delay all others. */
function finite(at: number): number {
  if (!Number.isFinite(at)) throw new TypeError("A schedule's time is invalid.");
  return at;
}
