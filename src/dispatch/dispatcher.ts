// Which call: turns frames that connections receive into calls of hubs, and events of rooms into hubs' hooks.

import { CLOSE, HubError, publicError } from "../model/errors.ts";
import { logWarning } from "../model/logger.ts";
import type { CallId, Incoming, Invocation } from "../model/message.ts";
import type { Connection } from "../rooms/connection/connection.ts";
import type { Host, Receiver } from "../rooms/object/host.ts";
import type { Hubs, ServedHub } from "./define/hub-tables.ts";
import { builtIns, type Verify } from "./protocol-methods/built-ins.ts";
import { refreshed } from "./protocol-methods/refresh-token.ts";
import { Call } from "./run/call.ts";
import { failure, together, type SendAnswer } from "./run/frame-answers.ts";
import { connectedHook, disconnectedHook, presenceHooks } from "./run/hooks.ts";
import { startHubCall } from "./run/hub-call.ts";
import { noteRefusedCall } from "./run/refused-calls.ts";
import { Session } from "./run/session.ts";

export interface DispatcherOptions {
  readonly hubs: Hubs;
  readonly verify: Verify;
}

export function dispatcher({ hubs, verify }: DispatcherOptions): Receiver {
  const servedBy = (host: Host): ServedHub => {
    const served = hubs.get(host.domain.hub);
    if (!served) throw new HubError("hub_not_found", "There is no such hub.");
    return served;
  };
  const sessionOf = sessions(servedBy);
  return {
    settings: (hub) => hubs.get(hub)?.settings,
    async opened(host, connection) {
      const { hub, filters } = servedBy(host);
      // A connection has a session from its first call on; most only listen.
      if (hub.settings.connected || filters.length > 0)
        await connectedHook(sessionOf(host, connection));
    },
    awoke: answerLostCalls,
    received: (host, connection, frame) => receive(sessionOf(host, connection), verify, frame),
    settled: (host, connection) => sessionOf(host, connection).settled(),
    async closed(host, connection, error) {
      const session = sessionOf(host, connection);
      session.close();
      await disconnectedHook(session, error);
    },
    refreshed: async (host, connection, user) => refreshed(sessionOf(host, connection), user),
    async presenceChanged(host, joined, left) {
      const served = servedBy(host);
      const { settings } = served.hub;
      if (settings.joined || settings.left || settings.presenceChanged)
        await presenceHooks(host, served, joined, left);
    },
    async ask(host, connection, target, params) {
      if (connection.protocol.answersOnly)
        throw new HubError("client_error", "A client that calls over HTTP cannot be asked.");
      return sessionOf(host, connection).clientResults.ask((id) =>
        host.replies.send(connection, { type: "invocation", id, target, ...params }),
      );
    },
  };
}

/** Keyed by connection, so a session ends with the object's memory; objects that share the isolate cannot mix them. */
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

/** Answers calls that were open when the object lost its memory: they are lost, and nothing else will answer them. */
function answerLostCalls(host: Host, connection: Connection): void {
  const { openCalls } = connection.attached;
  if (openCalls.length === 0) return;
  const lost = new HubError("interrupted", "The server lost this call; call again.");
  for (const id of openCalls)
    host.replies.send(connection, failure(JSON.parse(id) as CallId, lost));
  host.connections.remember(connection, []);
}

function receive(session: Session, verify: Verify, frame: string | ArrayBuffer): void {
  const { connection, limits } = session;
  const { messages, batch, rest } = connection.protocol.decode(frame, limits, connection.rest);
  connection.rest = rest;
  const place = batch && together(session.answer, messages.filter(wantsAnswer).length);
  const size = typeof frame === "string" ? frame.length : frame.byteLength;
  const bytes = size / (messages.length || 1);
  for (const message of messages) {
    if (session.isClosed) return;
    const answer = place && wantsAnswer(message) ? place() : session.answer;
    if (counts(session, message)) take({ session, verify, message, answer, bytes });
  }
}

/** A message of the client and no repetition. Pings are not noted: a client that only lives would keep the index awake. */
function counts({ host, connection }: Session, message: Incoming): boolean {
  if (message.type !== "ping") {
    host.activity.counters.in++;
    if (!host.activity.isDue) host.activity.note();
  }
  return !connection.resumable || host.connections.takeResumed(connection, message);
}

const wantsAnswer = (message: Incoming): boolean =>
  (message.type === "malformed" || message.type === "invocation") && message.id !== undefined;

/** Messages that may be about a stream: answers to the server's own calls are not, nor are messages about the connection. */
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
  /** Of the frame, for each of its messages. */
  readonly bytes: number;
}

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
      return session.cancel(message.id, new HubError("cancelled", "The caller cancelled."));
    case "answer":
      return void session.clientResults.answer(message.id, message.result);
    case "refusal":
      return clientRefused(session, message.id, message.message);
    case "completed":
      return completed(session, message);
    case "ping":
      return session.host.connections.pong(session.connection);
    case "close":
      return session.host.connections.close(session.connection, CLOSE.normal);
    case "broken":
      return breakOff(session, message.error);
    case "ack":
    case "sequence":
      return; // About resuming, where nothing is resumed.
    default:
      message satisfies never;
  }
}

/** Waits until the hub's `connected` is done; a client that sends too much meanwhile is closed. */
function hold(gate: (() => void)[], received: ReceivedMessage): void {
  const { host, connection } = received.session;
  gate.push(() => take(received));
  if (gate.length > host.settings.limits.queuedCalls)
    host.connections.close(connection, CLOSE.flooding);
}

const errorOf = (error: string | undefined): HubError | null =>
  error === undefined ? null : new HubError("interrupted", error);

const clientRefused = (session: Session, id: CallId, message: string): void =>
  void session.clientResults.refuse(id, new HubError("client_error", message));

/** A stream of the client has ended, or the client answers: its ids and the server's differ. */
function completed(
  session: Session,
  { id, result, error }: Incoming & { type: "completed" },
): void {
  const upload = session.upload(id);
  if (upload) upload.end(errorOf(error));
  else if (error !== undefined) clientRefused(session, id, error);
  else session.clientResults.answer(id, result);
}

/** Bytes after a broken message cannot be understood. */
function breakOff({ host, connection }: Session, { message, detail }: HubError): void {
  logWarning("connection_broken", { hub: host.domain.hub, reason: message });
  const shown = host.settings.detailedErrors ? (detail ?? message) : undefined;
  host.connections.close(connection, CLOSE.malformed, shown);
}

/** Answers a malformed message; a client that sends nothing else is closed. */
function refuse(
  session: Session,
  message: Incoming & { type: "malformed" },
  answer: SendAnswer,
): void {
  const { host, connection } = session;
  noteRefusedCall(host, "", message.error);
  if (message.id !== undefined) answer(failure(message.id, message.error));
  // A request that is answered as a whole is over anyway.
  if (connection.protocol.answersOnly) return;
  if (++session.malformedInARow >= host.settings.limits.malformedInARow)
    host.connections.close(connection, CLOSE.malformed);
  else tolerate(session);
}

/** Every refusal costs an answer: a client that goes on and on is closed. */
function tolerate({ host, connection, refusals }: Session): void {
  if (!refusals.take(Date.now())) host.connections.close(connection, CLOSE.flooding);
}

function invoke(received: ReceivedMessage, invocation: Invocation): void {
  const { session, answer, verify } = received;
  const { id, target, args, anyCase } = invocation;
  try {
    checkRate(session);
    const own = anyCase ? undefined : builtIns.get(target);
    if (!own) return startHubCall(session, invocation, answer);
    const work = () => own({ session, verify }, args[0]);
    session.inTurn(new Call({ session, id, name: target, target, answer, work }));
  } catch (error) {
    const { detailedErrors: detailed } = session.host.settings;
    const shown = publicError(error);
    noteRefusedCall(session.host, target, shown);
    if (id !== undefined) answer(failure(id, shown, { target, stage: "finding", detailed }));
  }
}

function checkRate(session: Session): void {
  if (session.rate.take(Date.now())) return;
  tolerate(session);
  const { callsPerSecond } = session.limits;
  throw new HubError("rate_limited", `${callsPerSecond} calls a second are allowed.`);
}
