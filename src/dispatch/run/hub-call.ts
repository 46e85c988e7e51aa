// A call of a hub's method or stream: find → authorise → validate → handle. Streams are calls whose items go out
// before the completion.

import { HubError } from "../../model/errors.ts";
import { StreamRef, type CallId, type Invocation } from "../../model/message.ts";
import { Call } from "./call.ts";
import { callContext, messengerOf } from "../context/call-context.ts";
import { through } from "../define/filters.ts";
import type { Binder } from "../define/bind-value.ts";
import type { AnyMember } from "../define/hub-definition.ts";
import type { SendAnswer } from "./frame-answers.ts";

import type { Session } from "./session.ts";
import { streamItems } from "./stream-items.ts";
import { type PendingCall, validate } from "../define/validate.ts";
import type { Table } from "../define/hub-tables.ts";
import { anyone } from "../define/policies.ts";

/** A call whose member was found, and under which name. */
interface FoundCall {
  readonly session: Session;
  readonly invocation: Invocation;
  readonly name: string;
  readonly member: AnyMember;
}

/** Starts the call: at once where it streams, otherwise in its turn. What it throws is the caller's error. */
export function startHubCall(session: Session, invocation: Invocation, answer: SendAnswer): void {
  const { connection, served } = session;
  const { id, target } = invocation;
  const name = nameOf(served, invocation);
  const member = find(served, name);
  checkKind(invocation, member);
  const streams = isStreaming(member);
  if (streams && connection.protocol.answersOnly)
    throw wrongKind(`${target} streams: it needs a socket.`);
  const found = { session, invocation, name, member };
  const work = member.kind === "stream" ? streamed(found) : answered(found);
  const isStream = member.kind === "stream";
  const about = { session, id, name: `${served.name}.${name}`, target, streams: isStream };
  const call = new Call({ ...about, answer, work });
  if (streams) session.beside(call);
  else session.inTurn(call);
}

/** SignalR's clients say whether they expect a stream; the texts are ASP.NET's. */
function checkKind({ id, target, streaming }: Invocation, { kind }: AnyMember): void {
  if (kind === "stream" && streaming === false)
    throw wrongKind(
      `The client attempted to invoke the streaming '${target}' method with a non-streaming invocation.`,
    );
  if (kind === "method" && streaming === true)
    throw wrongKind(
      `The client attempted to invoke the non-streaming '${target}' method with a streaming invocation.`,
    );
  if (kind === "stream" && id === undefined)
    throw wrongKind(`${target} is a stream: call it with an id.`);
}

const wrongKind = (sentence: string) => new HubError("wrong_kind", sentence);

const isStreaming = ({ kind, args }: AnyMember): boolean =>
  kind === "stream" || args.some(isStream);

const isStream = (arg: AnyMember["args"][number]): boolean => "streamOf" in arg;

type Work = (call: Call) => Promise<unknown>;

/** A method that gives nothing is answered with null, as in SignalR; a stream's end has no result. */
function answered(found: FoundCall): Work {
  const handle = handled(found);
  return async (call) => (await handle(call)) ?? null;
}

function streamed(found: FoundCall): Work {
  const { session, invocation } = found;
  const id = invocation.id!;
  const handle = handled(found);
  return async (call) => {
    const items = await handle(call);
    if (!isIterable(items)) throw wrongKind(notIterable(invocation.target));
    call.stage = "streaming";
    const send = (item: unknown) => sendItem(session, call, id, item);
    await streamItems(items, { session, signal: call.signal, send });
  };
}

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value;

const notIterable = (target: string): string =>
  `The value returned by the streaming method '${target}' is not a ChannelReader<> or IAsyncEnumerable<>.`;

const sendItem = ({ host, connection }: Session, call: Call, id: CallId, item: unknown): void =>
  host.replies.send(connection, call.encoded({ type: "item", id, item }));

/**
 * Uploads open before anything is awaited: their items may stand right behind the call, while policies and schemas
 * take their time. They close with the call, whatever becomes of it.
 */
const handled =
  (found: FoundCall): Work =>
  async (call) => {
    const { session, invocation, member, name } = found;
    const { served } = session;
    const args = placed(call, found);
    const uploads = openUploads(call, member, args);
    const checked = await admit(served, member, {
      ...{ target: name, args, user: session.connection.user },
      ...{ unreadable: invocation.unreadable, binder: binderOf(session) },
      open: (ref) => uploads.get(ref)!,
      reached: (stage) => (call.stage = stage),
    });
    call.stage = "invoking";
    const context = contextOf(call, found);
    if (served.filters.length === 0) return member.handle(context, ...checked);
    const about = { context, hub: served.name, method: name, args: checked };
    return through(
      served,
      (filter, next) => (filter.invoke ? filter.invoke(about, next) : next()),
      () => member.handle(context, ...checked),
    );
  };

function binderOf({ connection, served }: Session): Binder | undefined {
  const { binding } = connection.protocol;
  return binding && { binding, shapeOf: served.shapeOf };
}

/** The arguments, with the caller's streams in the places where the method takes them. */
function placed(call: Call, { invocation, member }: FoundCall): readonly unknown[] {
  const { args, streamIds = [], streaming } = invocation;
  if (streaming === undefined) return args;
  const expected = member.args.filter(isStream).length;
  call.stage = "invoking";
  if (streamIds.length !== expected)
    throw new HubError(
      "invalid_arguments",
      `Client sent ${streamIds.length} stream(s), Hub method expects ${expected}.`,
    );
  const [values, streams] = [[...args], [...streamIds]];
  if (expected === 0) return values;
  const given = member.args.flatMap((arg) =>
    isStream(arg) ? [new StreamRef(streams.shift()!)] : values.splice(0, 1),
  );
  return [...given, ...values];
}

function openUploads(call: Call, { args }: AnyMember, given: readonly unknown[]) {
  const refs = given.filter(
    (value, index): value is StreamRef =>
      value instanceof StreamRef && args[index] !== undefined && isStream(args[index]),
  );
  return new Map(refs.map((ref) => [ref, call.openUpload(ref)]));
}

function contextOf(call: Call, { session, invocation }: FoundCall) {
  const { connection, host, served } = session;
  const idPrefix = idPrefixOf(session, invocation);
  const messenger = messengerOf(
    { host, served, idPrefix, asking: () => call.release() },
    call.published,
  );
  return callContext({ host, caller: connection, messenger, signal: () => call.signal });
}

/** Of a repeated call the same as of the first: its user and its key, which no other pair can spell. */
const idPrefixOf = ({ connection }: Session, { idempotencyKey }: Invocation): string | undefined =>
  idempotencyKey === undefined ? undefined : JSON.stringify([connection.user.id, idempotencyKey]);

/** Finds, authorises and validates. Throws `method_not_found`, `forbidden` or `invalid_arguments`. */
export async function prepare(table: Table, call: PendingCall): Promise<PreparedCall> {
  const member = find(table, call.target);
  return { member, args: await admit(table, member, call) };
}

export interface PreparedCall {
  readonly member: AnyMember;
  readonly args: unknown[];
}

/**
 * The name under which the hub has a target that the caller may have spelled in another case. Policies judge by this
 * name, so a change of case must not lead past one.
 */
export const nameOf = (table: Table, { target, anyCase }: Invocation): string =>
  (anyCase ? table.names.get(target.toLowerCase()) : undefined) ?? target;

export function find(table: Table, target: string): AnyMember {
  const member = table.members.get(target);
  if (!member) throw new HubError("method_not_found", `Hub ${table.name} has no such method.`);
  return member;
}

/** Authorises and validates a call whose member was found; gives the arguments as the schemas make them. */
export async function admit(
  table: Table,
  member: AnyMember,
  call: PendingCall,
): Promise<unknown[]> {
  call.reached?.("authorising");
  await authorise(table, member, call);
  call.reached?.("binding");
  return validate(member, call);
}

async function authorise(table: Table, member: AnyMember, call: PendingCall): Promise<void> {
  const judged = { hub: table.name, method: call.target, user: call.user, args: call.args };
  for (const policy of [table.authorize, member.policy])
    if (policy && policy !== anyone && !(await policy(judged)))
      throw new HubError("forbidden", `${table.name}.${call.target} is not for this user.`);
}
