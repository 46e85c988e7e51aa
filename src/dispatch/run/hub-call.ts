// A call of a hub's method or stream: find → authorise → validate → handle. Streams are calls whose items go out
// before the completion.

import { HubError } from "../../model/errors.ts";
import { StreamRef, type CallId, type Invocation } from "../../model/message.ts";
import type { Answering } from "./frame-answers.ts";
import { Call } from "./call.ts";
import { callContext, voiceOf } from "../context/build-contexts.ts";
import { through } from "../define/filters.ts";
import type { AnyMember } from "../define/hub-definition.ts";
import { find, nameOf, prepare } from "./invocation.ts";
import type { Session } from "./session.ts";
import { streamItems } from "./stream-items.ts";
import type { ServedHub } from "../define/hub-tables.ts";

interface HubCall {
  readonly session: Session;
  readonly served: ServedHub;
  readonly invocation: Invocation;
}

/** A call whose member was found: under which name, and with its streams among its arguments. */
interface Found extends HubCall {
  readonly name: string;
  readonly member: AnyMember;
}

/** Starts the call: at once where it streams, otherwise in its turn. What it throws is the caller's error. */
export function startHubCall(asked: HubCall, answer: Answering): void {
  const { session, served, invocation } = asked;
  const { id, target } = invocation;
  const name = nameOf(served, invocation);
  const member = find(served, name);
  checkKind(invocation, member);
  if (session.connection.protocol.answersOnly && isStreaming(member))
    throw wrongKind(`${target} streams: it needs a socket.`);
  const found = { ...asked, name, member };
  const work = member.kind === "stream" ? streamed(found) : answered(found);
  const call = new Call({ session, id, name: `${served.name}.${name}`, target, answer, work });
  if (isStreaming(member)) session.beside(call);
  else session.inTurn(call);
}

/** SignalR's clients say whether they expect a stream; its own words tell them that they are wrong. */
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

/** Who waits for a method that gives nothing is answered with null, as in SignalR; a stream's end has no result. */
function answered(found: Found): Work {
  const handle = handled(found);
  return async (call) => (await handle(call)) ?? null;
}

function streamed(found: Found): Work {
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
  host.send(connection, call.encoded({ type: "item", id, item }));

/**
 * Uploads open before anything is awaited: their items may stand right behind the call, while policies and schemas
 * take their time. They close with the call, whatever becomes of it.
 */
const handled =
  (found: Found): Work =>
  async (call) => {
    const { session, served, member, name } = found;
    const args = placed(call, found);
    const uploads = openUploads(call, member, args);
    const { user } = session.connection;
    const { args: checked } = await prepare(served, {
      ...{ target: name, args, user },
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

/** The arguments, with the caller's streams in the places where the method takes them. */
function placed(call: Call, { invocation, member }: Found): readonly unknown[] {
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

function contextOf(call: Call, { session, served, invocation }: HubCall) {
  const { host, connection } = session;
  const asking = () => call.release();
  const voice = voiceOf({ host, served, saidIn: saidIn(session, invocation), asking }, call.said);
  return callContext({ host, caller: connection, voice, signal: () => call.signal });
}

/** What a repeated call has in common with the first: its user and its key, which no other pair can spell. */
const saidIn = ({ connection }: Session, { idempotencyKey }: Invocation): string | undefined =>
  idempotencyKey === undefined ? undefined : JSON.stringify([connection.user.id, idempotencyKey]);
