// A hub's declaration of its rooms' state, in the form that rooms use (StateSpec in rooms/rpc/state-rpc.ts).

import { applyPatch, patchBetween } from "../../model/merge-patch.ts";
import { HubError } from "../../model/errors.ts";
import { freezeDeep, plainJson } from "../../model/plain-json.ts";
import { issueText } from "../../model/received-kind.ts";
import { paramsForCode } from "../../protocols/exact-json.ts";
import { formatTopic } from "../../model/topic.ts";
import type { RoomAddress } from "../../rooms/rpc/object-names.ts";
import type { Run, SavedState, StateSpec } from "../../rooms/rpc/state-rpc.ts";
import type { AnyAction } from "../define/action-definition.ts";
import { nextTime } from "../define/cron-times.ts";
import { EXACT_NAMES, type Binder } from "../define/bind-value.ts";
import type { ServedHub } from "../define/hub-tables.ts";
import type { RoomName, StateOptions } from "../define/state-options.ts";
import { messageCheckOf, resultCheckOf } from "../define/outgoing-check.ts";
import type { StateTable } from "../define/state-tables.ts";
import { validate } from "../define/validate.ts";
import { TurnContext } from "./turn-context.ts";

const LOAD_SECONDS = 10;
const SAVE_SECONDS = 1;

/** The declaration for one room; undefined if rooms of this kind have no state. */
export function stateSpecOf(
  served: ServedHub,
  { tenant, topic }: RoomAddress,
  env: object,
): StateSpec | undefined {
  const { state: table } = served;
  if (!table || table.declaration.kind !== topic.kind) return undefined;
  const { options } = table.declaration;
  const room: RoomName = { tenant, kind: topic.kind, name: topic.name };
  const { initial, migrations = [] } = options;
  const view = (options.view ?? ((state: unknown) => state)) as
    | false
    | ((state: unknown) => unknown);
  const version = migrations.length + 1;
  return {
    kind: topic.kind,
    about: { hub: served.name, room: formatTopic(topic) },
    version,
    tables: options.tables ?? [],
    updatesPerSecond: options.updatesPerSecond,
    checksActions: options.validate !== "load",
    loadSeconds: options.loadSeconds ?? LOAD_SECONDS,
    saveSeconds: options.saveSeconds ?? SAVE_SECONDS,
    initial: () => (typeof initial === "function" ? initial(room) : initial),
    migrate: (stored, from) =>
      migrations.slice(from - 1).reduce((state, migration) => migration(state), stored),
    check: (state) => checked(options, state),
    view: view === false ? undefined : view,
    ...external(options, { room, version, env }),
    prepare: (run) => prepare(served, table, run),
    apply: applier({ served, table, env }),
    next: nextTime,
  };
}

interface Applied {
  readonly served: ServedHub;
  readonly table: StateTable;
  readonly env: object;
}

/** Runs actions. In development their messages and results are checked against the hub's declarations. */
function applier({ served, table, env }: Applied): StateSpec["apply"] {
  const check = messageCheckOf(served, env);
  return (run, args, turn) => {
    const action = actionOf(table, run);
    const sender = { served, check, trace: run.trace };
    const result = action.handle(new TurnContext(sender, run, turn), ...args);
    const asDeclared = action.returns && resultCheckOf(served, action, { env, name: run.action });
    return asDeclared ? asDeclared(result) : result;
  };
}

interface Place {
  readonly room: RoomName;
  readonly version: number;
  readonly env: object;
}

/** `load` and `save` as functions that always return a promise, also if the author's function throws. */
function external(
  options: StateOptions<any, any, any>,
  { room, version, env }: Place,
): Pick<StateSpec, "load" | "save"> {
  const bindings = env as Cloudflare.Env;
  return {
    load: options.load && (async () => options.load!(room, bindings)),
    save:
      options.save &&
      (async ({ state, position }: SavedState) =>
        options.save!({ room, state, position, version }, bindings)),
  };
}

/**
 * The output of the schema for the state. If it is equal, returns the same object, so that unchanged parts are not
 * compared again. Throws `invalid_state`.
 */
function checked({ schema }: StateOptions<any, any, any>, state: unknown): unknown {
  const result = schema["~standard"].validate(state);
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new HubError("invalid_state", "The schema of a state must not be asynchronous.");
  }
  if (result.issues)
    throw new HubError("invalid_state", issueText("state", result.issues, { value: state }));
  const change = patchBetween(state, result.value);
  if (change === undefined) return state;
  const plain = plainJson(result.value, () => "state");
  return freezeDeep(applyPatch(state, patchBetween(state, plain)));
}

/** Throws `method_not_found`, `invalid_arguments`. */
async function prepare(
  served: ServedHub,
  table: StateTable,
  run: Pick<Run, "action" | "args" | "user" | "anyCase">,
): Promise<readonly unknown[]> {
  const action = actionOf(table, run);
  return validate(action, {
    ...{ args: paramsForCode(run.args), open: noStream },
    binder: binderOf(served, run),
  });
}

function binderOf({ shapeOf }: ServedHub, { anyCase }: Pick<Run, "anyCase">): Binder {
  if (!anyCase) return EXACT_NAMES;
  return { binding: anyCase === "msgpack" ? "either" : "json", shapeOf };
}

/** Finds an action, or without a user an internal one. */
function actionOf(
  { actions, internal }: StateTable,
  { action, user }: Pick<Run, "action" | "user">,
): AnyAction {
  const found = user ? actions.get(action) : internal.get(action);
  if (!found) throw new HubError("method_not_found", "The hub has no such action.");
  return found;
}

function noStream(): never {
  throw new HubError("invalid_arguments", "An action takes no streams.");
}
