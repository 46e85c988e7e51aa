// The dispatcher: turns frames of connections into calls of hubs, and events of rooms into hubs' hooks. The order and
// the limits of calls are in run/open-calls.ts, their checks in run/admit-call.ts.

import { CLOSE, HubError, publicError } from "../model/errors.ts";
import type { CallId, Incoming, Invocation } from "../model/message.ts";
import { keepPartial, type Connection } from "../rooms/connection/connection.ts";
import { heldByAll } from "../rooms/connection/held-bytes.ts";
import { spendMessages } from "../rooms/connection/inbound-budget.ts";
import type { Ending, Host, Receiver } from "../rooms/object/host.ts";
import type { Hubs, ServedHub } from "./define/hub-tables.ts";
import { builtIns, type Verify } from "./protocol-methods/built-ins.ts";
import { refreshAsCall, refreshToken } from "./protocol-methods/refresh-token.ts";
import { Call } from "./run/call.ts";
import { failure, showsDetails, together, type SendAnswer } from "./run/frame-answers.ts";
import { closeMalformed, rateError, refuse } from "./run/refusals.ts";
import { connectedHook, disconnectedHook, presenceHooks } from "./run/hooks.ts";
import { startHubCall } from "./run/hub-call.ts";
import { noteRefusedCall } from "./run/refused-calls.ts";
import { tooManyWaiting } from "./run/open-calls.ts";
import { GATED_BYTES, Session } from "./run/session.ts";
import { stateSpecOf } from "./state/state-spec.ts";

export interface DispatcherOptions {
  readonly hubs: Hubs;
  /** Verifies the token of `$/refresh`. */
  readonly verify: Verify;
}

/** The receiver of all hubs, which objects call. Their contract is `Receiver` in rooms/object/host.ts. */
export function dispatcher({ hubs, verify }: DispatcherOptions): Receiver {
  const servedBy = (host: Host): ServedHub => {
    const served = hubs.get(host.domain.hub);
    if (!served) throw new HubError("hub_not_found", "There is no such hub.");
    return served;
  };
  const sessionOf = sessions(servedBy);
  return {
    settings: (hub) => hubs.get(hub)?.settings,
    state(address, env) {
      const served = hubs.get(address.hub);
      return served?.state && stateSpecOf(served, address, env);
    },
    async opened(host, connection) {
      const { hub, filters } = servedBy(host);
      // Most connections only receive: they get a session with their first call, unless hub code runs before it.
      if (hub.settings.connected || filters.length > 0)
        await connectedHook(sessionOf(host, connection));
    },
    awoke: answerLostCalls,
    received: (host, connection, frame) => receive(sessionOf(host, connection), verify, frame),
    settled: (host, connection) => sessionOf(host, connection).calls.settled(),
    async closed(host, connection, ending) {
      // A deploy may lack the hub: its objects then close their connections.
      if (hubs.has(host.domain.hub)) await closeSession(sessionOf(host, connection), ending);
    },
    refreshed: async (host, connection, user) => refreshToken(sessionOf(host, connection), user),
    refreshRequested: (host, connection, user) => refreshAsCall(sessionOf(host, connection), user),
    async presenceChanged(host, change) {
      const served = hubs.get(host.domain.hub);
      if (served) await presenceHooks(host, served, change);
    },
    async ask(host, connection, call) {
      if (connection.protocol.answersOnly)
        throw new HubError("client_error", "A client that calls over HTTP cannot answer calls.");
      return sessionOf(host, connection).clientResults.ask((id) =>
        host.replies.send(connection, { type: "invocation", id, ...call }),
      );
    },
  };
}

async function closeSession(session: Session, ending: Ending): Promise<void> {
  session.close(ending.why !== undefined && ending.why !== CLOSE.normal);
  await session.ended();
  // The hook reads presence that no longer counts the connection. A failed report to a room is logged elsewhere.
  await ending.departed.catch(() => {});
  await disconnectedHook(session, ending);
}

/** Sessions by connection: a session ends with its object's memory, and objects in one isolate cannot share one. */
function sessions(servedBy: (host: Host) => ServedHub) {
  const sessionsByConnection = new WeakMap<Connection, Session>();
  return (host: Host, connection: Connection): Session => {
    const known = sessionsByConnection.get(connection);
    if (known) return known;
    const session = new Session(host, servedBy(host), connection);
    sessionsByConnection.set(connection, session);
    return session;
  };
}

/** Answers calls that were open when the object lost its memory with `interrupted`: their handlers are gone. */
function answerLostCalls(host: Host, connection: Connection): void {
  const { openCalls } = connection.attached;
  if (openCalls.length === 0) return;
  const lost = new HubError("interrupted", "The server lost this call; call again.");
  for (const id of openCalls)
    host.replies.send(connection, failure(JSON.parse(id) as CallId, lost));
  host.connections.remember(connection, []);
}

/** Handles the messages of a frame in order. Requests of a batch are answered together. */
function receive(session: Session, verify: Verify, frame: string | ArrayBuffer): void {
  const { connection, limits } = session;
  const { messages, batch, rest } = connection.protocol.decode(frame, limits, connection.rest);
  let size = typeof frame === "string" ? frame.length : frame.byteLength;
  if (rest !== connection.rest) {
    size += connection.rest?.length ?? 0;
    if (!keepPartial(connection, rest))
      return session.host.connections.close(connection, CLOSE.busy);
  }
  const budget = connection.inbound?.messages;
  if (budget && messages.length > 0 && budget.left >= messages.length)
    budget.left -= messages.length;
  else if (!spendMessages(connection, messages.length, limits))
    return session.host.connections.close(connection, CLOSE.flooding);
  const place = batch && together(session.answer, messages.filter(wantsAnswer).length);
  const bytes = Math.ceil(size / (messages.length || 1));
  for (const message of messages) {
    if (!session.isReceiving) return;
    const answer = place && wantsAnswer(message) ? place() : session.answer;
    if (counts(session, message)) take({ session, verify, message, answer, bytes });
  }
}

/** Counts a message; false if a resumed client repeats it. Pings do not count: they would keep the index awake. */
function counts({ host, connection }: Session, message: Incoming): boolean {
  if (message.type !== "ping") {
    host.activity.counters.in++;
    if (!host.activity.isDue) host.activity.note();
  }
  return !connection.resumable || host.connections.takeResumed(connection, message);
}

/** Whether a batch has an answer for this message. Requests without an id have none. */
const wantsAnswer = (message: Incoming): boolean =>
  (message.type === "malformed" || message.type === "invocation") && message.id !== undefined;

/**
 * Messages that wait for the hub's `connected`: calls, and messages that may be about a stream. Answers to the server's
 * calls do not wait, because `connected` itself may await one; nor do messages about the connection.
 */
const GATED: ReadonlySet<Incoming["type"]> = new Set([
  "invocation",
  "item",
  "end",
  "completed",
  "cancel",
]);

interface ReceivedMessage<M extends Incoming = Incoming> {
  readonly session: Session;
  readonly verify: Verify;
  readonly message: M;
  readonly answer: SendAnswer;
  /** The message's share of the bytes of the frame, and of the incomplete message before it. */
  readonly bytes: number;
}

/** Handles one message. Messages of unknown streams and calls are ignored: these may just have ended. */
function take(received: ReceivedMessage): void {
  const { session, message, answer } = received;
  if (session.gated && GATED.has(message.type)) return hold(session.gated, received);
  if (message.type === "malformed") return refuse(session, message, answer);
  session.malformedInARow = 0;
  switch (message.type) {
    case "invocation":
      return invoke(received, message);
    case "item":
      return session.upload(message.stream)?.push(message.item, received.bytes);
    case "end":
      return session.upload(message.stream)?.end(errorOf(message.error));
    case "cancel":
      return session.calls.cancel(message.id, new HubError("cancelled", "The caller cancelled."));
    case "answer":
      return void session.clientResults.answer(message.id, message.result);
    case "refusal":
      return clientRefused(session, message.id, message.message);
    case "completed":
      return takeCompletion(session, message);
    case "ping":
      return session.host.connections.pong(session.connection);
    case "close":
      session.clientError = message.error === undefined ? undefined : new Error(message.error);
      return session.finish(CLOSE.normal);
    case "broken":
      return closeMalformed(session, message.error);
    case "ack":
    case "sequence":
      return; // Only for connections that may be resumed, whose messages were handled before.
    default:
      message satisfies never;
  }
}

/** Holds a message until the hub's `connected` is done. Closes a client whose messages do not fit into its memory. */
function hold(gate: (() => void)[], received: ReceivedMessage): void {
  const { session, message, bytes } = received;
  const { host, connection } = session;
  if (message.type === "invocation" && !session.mayGate(message.id))
    return refuseCall(received, message, tooManyWaiting(session.limits));
  const held = GATED_BYTES + heldByAll(Object.values(message), bytes);
  if (!connection.held.fits(held)) return host.connections.close(connection, CLOSE.busy);
  connection.held.buffer(held);
  session.gatedBytes += held;
  gate.push(() => take(received));
}

const errorOf = (error: string | undefined): HubError | null =>
  error === undefined ? null : new HubError("interrupted", error);

const clientRefused = (session: Session, id: CallId, message: string): void =>
  void session.clientResults.refuse(id, new HubError("client_error", message));

/** Handles the end of a client's stream, or the client's answer to a call, according to the id. */
function takeCompletion(
  session: Session,
  { id, result, error }: Incoming & { type: "completed" },
): void {
  const upload = session.upload(id);
  if (upload) upload.end(errorOf(error));
  else if (error !== undefined) clientRefused(session, id, error);
  else session.clientResults.answer(id, result);
}

/** Starts a call, of the protocol itself or of the hub, or answers with the reason of a refusal. Never throws. */
function invoke(received: ReceivedMessage, invocation: Invocation): void {
  const { session, answer, verify, bytes } = received;
  const { id, target, args, anyCase, unreadable, idempotencyKey } = invocation;
  try {
    if (!session.rate.take(session.host.clock.now())) throw rateError(session);
    const own = anyCase ? undefined : builtIns.get(target);
    // Flat arguments, which most calls have, take about their size.
    const held = args.some((arg) => typeof arg === "object") ? heldByAll(args, bytes) : bytes;
    if (!own) return startHubCall(session, invocation, { answer, held });
    if (unreadable) throw unreadable;
    const work = (call: Call) => own({ session, verify, call, idempotencyKey }, args[0]);
    session.calls.inTurn(new Call({ session, id, name: target, target, answer, held, work }));
  } catch (error) {
    refuseCall(received, invocation, error);
  }
}

function refuseCall(received: ReceivedMessage, { id, target }: Invocation, error: unknown): void {
  const { session, answer } = received;
  const detailed = showsDetails(session.host);
  const shown = publicError(error);
  noteRefusedCall(session.host, target, shown);
  if (id !== undefined) answer(failure(id, shown, { target, stage: "finding", detailed }));
}
