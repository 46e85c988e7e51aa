// A run of an action by a client: finds and authorises the action, checks that the user may enter the room, and passes
// the run to the room. Clients call it by the action's name like a method, or by `$/run`.

import { HubError, publicError } from "../../model/errors.ts";
import type { Invocation } from "../../model/message.ts";
import { parseTopic, roomTopic, type Position, type Topic } from "../../model/topic.ts";
import { traceOf } from "../../model/trace.ts";
import { encodeGivenParams, parseForCode, parseOwnJson } from "../../protocols/exact-json.ts";
import { toExactJson } from "../../protocols/json.ts";
import type { RunOutcome } from "../../rooms/object/host.ts";
import type { AnyAction } from "../define/action-definition.ts";
import { runFilters } from "../define/filters.ts";
import { groupTopic } from "../define/group-names.ts";
import { bindByName } from "../define/named-arguments.ts";
import { anyone } from "../define/policies.ts";
import { runtimeAt } from "../define/runtime.ts";
import { bindingError } from "../define/validate.ts";
import type { StateTable } from "../define/state-tables.ts";
import { authorise, noAction } from "./admit-call.ts";
import { Call, callerContext, type CallOptions } from "./call.ts";
import { roomMissing } from "./refusals.ts";
import { checkRoom } from "./room-permission.ts";
import type { Session } from "./session.ts";

/** A client's request for an action. */
export interface ActionRequest {
  /** The name in the hub. */
  readonly name: string;
  readonly args: readonly unknown[];
  readonly room: Topic;
  readonly key?: string | undefined;
  readonly at?: Position | undefined;
}

/** Starts a call by the action's name, in its turn. Throws the errors of `OpenCalls.inTurn`. */
export function startActionCall(
  session: Session,
  invocation: Invocation,
  { name, ...options }: Pick<CallOptions, "answer" | "held"> & { readonly name: string },
): void {
  const { served } = session;
  const { id, target } = invocation;
  const work = async (call: Call) => {
    if (invocation.unreadable) throw unfit(call, invocation.unreadable);
    const request = requestOf(session, invocation, name);
    const { result } = await runAction(session, call, request);
    return parseOwnJson(result);
  };
  const about = { session, id, name: `${served.name}.${name}`, target };
  session.calls.inTurn(new Call({ ...about, ...options, work }));
}

/** The error for invalid arguments, with the room's detail. There is none if the arguments could not be sent. */
function unfit(call: Call, error: HubError): HubError {
  call.stage = "binding";
  return error.detail === undefined ? bindingError(error, NO_ARGUMENTS, NO_ARGUMENTS) : error;
}

const NO_ARGUMENTS = { args: [] };

/** On a room's own connection the arguments are the action's; on others the room's name comes first. */
function requestOf(session: Session, invocation: Invocation, name: string): ActionRequest {
  const action = session.served.state!.actions.get(name)!;
  const key = invocation.idempotencyKey;
  const own = ownRoom(session);
  if (own) {
    const args = invocation.byName ? bindByName(action, invocation.args) : invocation.args;
    return { name, args, room: own, key };
  }
  const [room, ...args] = invocation.args;
  if (typeof room !== "string")
    throw new HubError("invalid_arguments", "The first argument is the name of the room.");
  return { name, args, room: roomNamed(session, room), key };
}

/** The connection's own room of the kind with state: the one that it is attached to, or its user's. */
function ownRoom({ connection, host, served }: Session): Topic | undefined {
  const { kind } = served.state!.declaration;
  const room = host.roomOf(connection);
  if (room.kind === kind) return room;
  return kind === "user" ? roomTopic("user", connection.user.id) : undefined;
}

/**
 * The room by its name, because only one kind of room has a state, or by its topic, which clients get with the state.
 */
function roomNamed({ served }: Session, room: string): Topic {
  const { kind } = served.state!.declaration;
  const name = room.startsWith(`${kind}:`) ? room.slice(kind.length + 1) : room;
  return kind === "group" ? groupTopic(served, name) : roomTopic(kind, name);
}

/** The room of `$/run`: a topic; by default the connection's own. */
export function roomOfRun(session: Session, room: string | undefined): Topic {
  const topic = room === undefined ? ownRoom(session) : parseTopic(room);
  if (!topic) throw roomMissing();
  return topic;
}

/**
 * Runs the action inside of the hub's filters. Rejects with `forbidden`, and the errors of policies and the room. The
 * call's answer waits until the run is saved.
 */
export async function runAction(
  session: Session,
  call: Call,
  request: ActionRequest,
): Promise<RunOutcome> {
  const { served } = session;
  const { actions, declaration } = stateOf(session);
  const action = actions.get(request.name);
  call.name = `${served.name}.${request.name}`;
  if (!action || request.room.kind !== declaration.kind)
    throw noAction(served, request.room.kind, request.name);
  call.stage = "authorising";
  await admit(session, action, request);
  call.stage = "invoking";
  const outcome = await bound(call, filtered(session, call, request));
  if (outcome.ticket) call.published.add(outcome.ticket);
  return outcome;
}

/** Marks arguments that the room has refused: the action itself may throw an error with the same code. */
async function bound<T>(call: Call, running: Promise<T>): Promise<T> {
  try {
    return await running;
  } catch (error) {
    const shown = publicError(error);
    throw shown.isOwn && shown.code === "invalid_arguments" ? unfit(call, shown) : error;
  }
}

function stateOf({ served }: Session): StateTable {
  if (!served.state) throw new HubError("method_not_found", `Hub ${served.name} has no actions.`);
  return served.state;
}

async function admit(session: Session, action: AnyAction, { name, args, room }: ActionRequest) {
  const { host, served, connection } = session;
  const { user } = connection;
  if (served.authorize !== undefined || action.policy !== anyone) {
    const runtime = runtimeAt(host, { hub: served.name, method: name });
    await authorise(served, action, { target: name, args, user, runtime });
  }
  await checkRoom(session, room);
}

/** Runs the action inside of the filters, which may return another result; the position is that of the run. */
async function filtered(session: Session, call: Call, request: ActionRequest): Promise<RunOutcome> {
  const { served } = session;
  if (served.filters.length === 0) return runInRoom(session, request);
  const { name: method, args } = request;
  const context = callerContext(call, session, { name: method, key: undefined });
  let outcome: RunOutcome | undefined;
  const result = await runFilters<unknown>(
    served,
    (filter, next) =>
      filter.invoke ? filter.invoke({ context, hub: served.name, method, args }, next) : next(),
    async () => {
      outcome = await runInRoom(session, request);
      return parseForCode(outcome.result);
    },
  );
  if (!outcome) throw new HubError("forbidden", "A filter did not let the action run.");
  return { ...outcome, result: toExactJson(result) };
}

function runInRoom(session: Session, { name, args, room, key, at }: ActionRequest) {
  const { connection, host } = session;
  const { binding } = connection.protocol;
  const run = {
    action: name,
    args: encodeGivenParams(args).params,
    user: connection.user,
    connection: connection.id,
    ...(key !== undefined && { key }),
    ...(at && { at }),
    ...traceOf(connection.attached),
    ...(binding !== "json-rpc" && { anyCase: binding }),
  };
  return host.states.run(room, run, connection);
}
