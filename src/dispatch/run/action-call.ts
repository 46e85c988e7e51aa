// A run of an action by a client: find → authorise → may enter the room, here; the rest is the room's. Called by the
// action's name like a method, or by `$/run`.

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

/** Starts a call by the action's name, in its turn. Throws what the session throws. */
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

/** With the room's detail; there is none where the arguments cannot be read, or sent to the room. */
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

/** The room that the connection stands for: the one that it came for, or its user's own. */
function ownRoom({ connection, host, served }: Session): Topic | undefined {
  const { kind } = served.state!.declaration;
  const room = host.roomOf(connection);
  if (room.kind === kind) return room;
  return kind === "user" ? roomTopic("user", connection.user.id) : undefined;
}

/** By its name alone, since one kind of room has a state, or by its topic, which clients are told with the state. */
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
 * Runs the action inside the hub's filters. Throws `forbidden`, what policies throw, and what the room throws. The
 * call's answer waits until it is saved.
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
  if (outcome.ticket) call.published.tickets.push(outcome.ticket);
  return outcome;
}

/** Arguments are bound by the room: what it has refused is no error of the action, which may throw the same code. */
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
  const policy = action.policy ?? anyone;
  if (served.authorize !== undefined || policy !== anyone) {
    const runtime = runtimeAt(host, { hub: served.name, method: name });
    await authorise(served, { policy }, { target: name, args, user, runtime });
  }
  await checkRoom(session, room);
}

/** Filters may give another result: the position is the run's own. */
async function filtered(session: Session, call: Call, request: ActionRequest): Promise<RunOutcome> {
  const { served } = session;
  if (served.filters.length === 0) return runInRoom(session, request);
  const { name: method, args } = request;
  const context = callerContext(call, session, { name: method, idPrefix: undefined });
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
