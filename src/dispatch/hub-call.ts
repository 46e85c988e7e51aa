// A call of a hub's method or stream: find → authorise → validate → handle. Streams are calls whose items go out
// before the completion.

import { HubError } from "../model/errors.ts";
import { StreamRef, type CallId, type Invocation } from "../model/message.ts";
import type { Answering } from "./answering.ts";
import { Call } from "./call.ts";
import { callContext, voiceOf } from "./contexts.ts";
import type { AnyMember } from "./hub.ts";
import { find, prepare } from "./invocation.ts";
import type { Session } from "./session.ts";
import { streamItems } from "./stream-items.ts";
import type { ServedHub } from "./tables.ts";

interface HubCall {
  readonly session: Session;
  readonly served: ServedHub;
  readonly invocation: Invocation;
}

/** Starts the call: at once where it streams, otherwise in its turn. What it throws is the caller's error. */
export function startHubCall(asked: HubCall, answer: Answering): void {
  const { session, served, invocation } = asked;
  const { id, target } = invocation;
  const member = find(served, target);
  const work = member.kind === "stream" ? streamed(asked, member) : handled(asked, member);
  const call = new Call({ session, id, name: `${served.name}.${target}`, answer, work });
  if (member.kind === "stream" || member.args.some(isStream)) session.beside(call);
  else session.inTurn(call);
}

const isStream = (arg: AnyMember["args"][number]): boolean => "streamOf" in arg;

type Work = (call: Call) => Promise<unknown>;

function streamed(asked: HubCall, member: AnyMember): Work {
  const { session, invocation } = asked;
  const { id, target } = invocation;
  if (id === undefined)
    throw new HubError("wrong_kind", `${target} is a stream: call it with an id.`);
  const handle = handled(asked, member);
  return async (call) => {
    const items = (await handle(call)) as AsyncIterable<unknown>;
    const send = (item: unknown) => sendItem(session, call, id, item);
    await streamItems(items, { session, signal: call.signal, send });
    return null;
  };
}

const sendItem = ({ host, connection }: Session, call: Call, id: CallId, item: unknown): void =>
  host.send(connection, call.encoded({ type: "item", id, item }));

/**
 * Uploads open before anything is awaited: their items may stand right behind the call, while policies and schemas
 * take their time. They close with the call, whatever becomes of it.
 */
const handled =
  ({ session, served, invocation }: HubCall, member: AnyMember): Work =>
  async (call) => {
    const { target, args } = invocation;
    const uploads = openUploads(call, member, args);
    const open = (ref: StreamRef) => uploads.get(ref)!;
    const { user } = session.connection;
    const { args: checked } = await prepare(served, { target, args, user, open });
    return member.handle(contextOf(call, { session, served, invocation }), ...checked);
  };

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
