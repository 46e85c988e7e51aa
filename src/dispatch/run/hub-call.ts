// A call of a hub's method or stream: find → authorise → validate → handle. A stream sends its items before its
// completion.

import { HubError, serverError } from "../../model/errors.ts";
import { isAsyncIterable } from "../../model/iterables.ts";
import { StreamRef, type Invocation } from "../../model/message.ts";
import { authorise, noMethod } from "./admit-call.ts";
import { Call, callerContext, type CallOptions } from "./call.ts";
import { startActionCall } from "./action-call.ts";
import { runFilters } from "../define/filters.ts";
import { EXACT_NAMES, type Binder } from "../define/bind-value.ts";
import type { AnyMember } from "../define/hub-definition.ts";
import { bindByName } from "../define/named-arguments.ts";
import { oneResult } from "../define/one-result.ts";
import type { Session } from "./session.ts";
import { streamItems } from "./stream-items.ts";
import type { Table } from "../define/hub-tables.ts";
import { resultCheckOf } from "../define/outgoing-check.ts";
import { runtimeAt } from "../define/runtime.ts";
import { anyone } from "../define/policies.ts";
import { validate } from "../define/validate.ts";

/** A call whose member was found. */
interface FoundCall {
  readonly session: Session;
  readonly invocation: Invocation;
  /** The member's name in the hub, which may differ in case from the target of the invocation. */
  readonly name: string;
  readonly member: AnyMember;
}

/**
 * Starts the call: at once if it is a stream or takes one, otherwise in its turn. Throws `method_not_found`,
 * `wrong_kind`, and the errors of `OpenCalls`; later errors are answered by the call itself.
 */
export function startHubCall(
  session: Session,
  invocation: Invocation,
  { answer, held }: Pick<CallOptions, "answer" | "held">,
): void {
  const { connection, served } = session;
  const { id, target } = invocation;
  const name = nameOf(served, invocation);
  const member = served.members.get(name);
  const isAction = !member && served.state?.actions.has(name);
  if (!member && !isAction) throw noMethod(served, name);
  checkKind(invocation, member ?? ACTION);
  if (!member) return startActionCall(session, invocation, { name, answer, held });
  const isLong = isStreaming(member);
  if (isLong && connection.protocol.answersOnly)
    throw wrongKind(`${target} streams: it needs a socket.`);
  const found = { session, invocation, name, member };
  const streams = member.kind === "stream";
  const work = streams ? streamWork(found) : methodWork(found);
  const logged = `${served.name}.${name}`;
  const call = new Call({ session, id, name: logged, target, answer, held, streams, work });
  if (isLong) session.calls.beside(call);
  else session.calls.inTurn(call);
}

/** SignalR's clients declare whether they expect a stream; the texts are ASP.NET Core's. Throws `wrong_kind`. */
function checkKind({ id, target, streaming }: Invocation, { kind }: Pick<AnyMember, "kind">): void {
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

/** Clients call an action like a method. */
const ACTION = { kind: "method" } as const;

const wrongKind = (sentence: string) => serverError("wrong_kind", sentence);

/** Whether the member is a stream or reads one: such calls take long, and do not occupy a turn of the connection. */
const isStreaming = ({ kind, args }: AnyMember): boolean =>
  kind === "stream" || args.some(isStream);

const isStream = (arg: AnyMember["args"][number]): boolean => "streamOf" in arg;

type Work = (call: Call) => Promise<unknown>;

/** The work of a method. A method that returns nothing is answered with null, as in SignalR. */
function methodWork(found: FoundCall): Work {
  const handle = handlerOf(found);
  const check = found.member.returns && checkOf(found);
  return async (call) => {
    const given = await handle(call);
    // Only an object may have items.
    const result = typeof given === "object" ? oneResult(found.invocation.target, given) : given;
    return (check ? check(result) : result) ?? null;
  };
}

/** The work of a stream: sends the items, then resolves without a result. */
function streamWork(found: FoundCall): Work {
  const { session, invocation, member } = found;
  const { host, connection } = session;
  const id = invocation.id!;
  const handle = handlerOf(found);
  const check = member.returns && checkOf(found);
  return async (call) => {
    const items = await handle(call);
    if (!isAsyncIterable(items)) throw wrongKind(notIterable(invocation.target));
    call.stage = "streaming";
    const send = (item: unknown) => {
      const record = call.encoded({ type: "item", id, item: check ? check(item) : item });
      const size = record.type === "record" ? record.record.length : 0;
      connection.flow.unsent += size;
      const queue = () =>
        host.replies.send(connection, () => {
          connection.flow.unsent -= size;
          return record;
        });
      void host.inOrder({ caller: connection, recipient: connection }, queue);
      return size;
    };
    await streamItems(items, { session, name: call.name, signal: call.signal, send });
  };
}

/** In development: a function that returns a result unchanged, or throws `invalid_result` if it is not as declared. */
const checkOf = ({ session: { served, host }, member, name }: FoundCall) =>
  resultCheckOf(served, member, { env: host.env, name });

const notIterable = (target: string): string =>
  `The value returned by the streaming method '${target}' is not a ChannelReader<> or IAsyncEnumerable<>.`;

/**
 * Runs the checks, then the handler inside of the hub's filters. Uploads open before the first await, because their
 * items may follow the call in the same frame, while policies and schemas are still running. They close with the call,
 * whether it succeeds or fails.
 */
const handlerOf =
  (found: FoundCall): Work =>
  async (call) => {
    const { session, invocation, member, name } = found;
    const { served } = session;
    const args = placeStreams(call, found);
    const uploads = openUploads(call, member, args);
    call.stage = "authorising";
    if (isGuarded(found)) await judge(found, args);
    call.stage = "binding";
    const checked = await validate(member, {
      ...{ args, unreadable: invocation.unreadable, binder: binderOf(session) },
      open: (ref) => uploads.get(ref)!,
    });
    // The call was answered already. Its handler might wait for the aborted signal, and keep its turn for ever.
    if (call.wasCancelled) return undefined;
    call.stage = "invoking";
    const context = callerContext(call, session, { name, key: invocation.idempotencyKey });
    if (served.filters.length === 0) return member.handle(context, ...checked);
    const about = { context, hub: served.name, method: name, args: checked };
    return runFilters(
      served,
      (filter, next) => (filter.invoke ? filter.invoke(about, next) : next()),
      () => member.handle(context, ...checked),
    );
  };

/** Whether a policy may refuse the call. */
const isGuarded = ({ session: { served }, member }: FoundCall): boolean =>
  served.authorize !== undefined || member.policy !== anyone;

/** Checks the policies. Throws `forbidden`, or the error of a policy. */
function judge({ session, member, name }: FoundCall, args: readonly unknown[]): Promise<void> {
  const { host, served, connection } = session;
  const runtime = runtimeAt(host, { hub: served.name, method: name });
  return authorise(served, member, { target: name, args, user: connection.user, runtime });
}

/** How values bind to schemas in the connection's protocol. */
function binderOf({ connection, served }: Session): Binder {
  const { binding } = connection.protocol;
  return binding === "json-rpc" ? EXACT_NAMES : { binding, shapeOf: served.shapeOf };
}

/**
 * The arguments with a placeholder for each stream of the caller, in the position in which the method takes it. SignalR
 * sends stream ids apart from the arguments. Throws `invalid_arguments` if their number differs from the method's.
 */
function placeStreams(call: Call, { invocation, member }: FoundCall): readonly unknown[] {
  const { byName, streamIds = [], streaming } = invocation;
  const args = byName ? bindByName(member, invocation.args) : invocation.args;
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

/** Opens the streams that the member takes. Throws `duplicate_id` or `too_many_streams`. */
function openUploads(call: Call, { args }: AnyMember, given: readonly unknown[]) {
  const refs = given.filter(
    (value, index): value is StreamRef =>
      value instanceof StreamRef && args[index] !== undefined && isStream(args[index]),
  );
  return new Map(refs.map((ref) => [ref, call.openUpload(ref)]));
}

/**
 * The member's name for a target that the caller may have spelled in another way. Policies get this name, so that
 * another spelling cannot circumvent one. SignalR ignores case. JSON-RPC clients of .NET also write `Divide` for
 * `divideAsync`, and the other way round: they find that member if there is none with their own spelling.
 */
function nameOf({ members, names }: Table, { target, anyCase }: Invocation): string {
  if (members.has(target)) return target;
  const lower = target.toLowerCase();
  const other = lower.endsWith(ASYNC) ? lower.slice(0, -ASYNC.length) : lower + ASYNC;
  return names.get(lower) ?? (anyCase ? undefined : names.get(other)) ?? target;
}

const ASYNC = "async";
