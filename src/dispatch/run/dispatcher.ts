// Which call: turns what connections receive into calls of hubs, and rooms' events into hubs' hooks.

import { CLOSE, HubError, publicError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import type { CallId, Incoming, Invocation } from "../../model/message.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host, Receiver } from "../../rooms/object/host.ts";
import { failure, singly, together, type Answering } from "./frame-answers.ts";
import { builtIns, type Verify } from "../protocol-methods/built-ins.ts";
import { Call } from "./call.ts";
import { connectedHook, disconnectedHook, presenceHooks } from "./hooks.ts";
import { startHubCall } from "./hub-call.ts";
import { refreshed } from "../protocol-methods/refresh-token.ts";
import { Session } from "./session.ts";
import type { Hubs, ServedHub } from "../define/hub-tables.ts";

export interface DispatcherOptions {
  readonly hubs: Hubs;
  readonly verify: Verify;
}

export function dispatcher({ hubs, verify }: DispatcherOptions): Receiver {
  const sessionOf = sessions();
  const servedBy = (host: Host): ServedHub => {
    const served = hubs.get(host.domain.hub);
    if (!served) throw new HubError("hub_not_found", "There is no such hub.");
    return served;
  };
  return {
    settings: (hub) => hubs.get(hub)?.settings,
    async opened(host, connection) {
      const served = servedBy(host);
      // A connection has a session from its first call on; most only listen.
      if (served.hub.settings.connected || served.filters.length > 0)
        await connectedHook(sessionOf(host, connection), served);
    },
    awoke: tellLost,
    received: (host, connection, frame) =>
      receive({ session: sessionOf(host, connection), served: servedBy(host), verify }, frame),
    settled: (host, connection) => sessionOf(host, connection).settled(),
    async closed(host, connection, error) {
      const session = sessionOf(host, connection);
      session.close();
      await disconnectedHook(session, servedBy(host), error);
    },
    refreshed: async (host, connection, user) =>
      refreshed({ session: sessionOf(host, connection), served: servedBy(host) }, user),
    presenceChanged: (host, joined, left) => presenceHooks(host, servedBy(host), joined, left),
    async ask(host, connection, target, params) {
      if (connection.protocol.answersOnly)
        throw new HubError("client_error", "A client that calls over HTTP cannot be asked.");
      return sessionOf(host, connection).questions.ask((id) =>
        host.send(connection, { type: "invocation", id, target, ...params }),
      );
    },
  };
}

/** Keyed by connection, so it ends with the object's memory; objects that share the isolate cannot meet in it. */
function sessions() {
  const known = new WeakMap<Connection, Session>();
  return (host: Host, connection: Connection): Session => {
    let session = known.get(connection);
    if (!session) known.set(connection, (session = new Session(host, connection)));
    return session;
  };
}

/** Calls that were open when the object lost its memory are answered now: nobody else will. */
function tellLost(host: Host, connection: Connection): void {
  const { openCalls } = connection.attached;
  if (openCalls.length === 0) return;
  const lost = new HubError("interrupted", "The server lost this call; call again.");
  for (const id of openCalls) host.send(connection, failure(JSON.parse(id) as CallId, lost));
  host.remember(connection, []);
}

interface Receiving {
  readonly session: Session;
  readonly served: ServedHub;
  readonly verify: Verify;
}

function receive(receiving: Receiving, frame: string | ArrayBuffer): void {
  const { session } = receiving;
  const { host, connection, limits } = session;
  const { messages, batch, rest } = connection.protocol.decode(frame, limits, connection.rest);
  connection.rest = rest;
  const alone = singly(host, connection);
  const placed = batch
    ? together(host, connection, messages.filter(wantsAnswer).length)
    : () => alone;
  const bytes =
    (typeof frame === "string" ? frame.length : frame.byteLength) / (messages.length || 1);
  for (const message of messages) {
    if (session.closed) return;
    if (!host.takes(connection, message)) continue;
    take(receiving, message, wantsAnswer(message) ? placed() : alone, bytes);
  }
}

const wantsAnswer = (message: Incoming): boolean =>
  (message.type === "malformed" || message.type === "invocation") && message.id !== undefined;

/** What may be about a stream: an answer is not, nor is what is about the connection itself. */
const GATED: ReadonlySet<Incoming["type"]> = new Set([
  "invocation",
  "item",
  "end",
  "completed",
  "cancel",
]);

function take(receiving: Receiving, message: Incoming, answer: Answering, bytes: number): void {
  const { session } = receiving;
  if (session.gated && GATED.has(message.type)) {
    session.gated.push(() => take(receiving, message, answer, bytes));
    if (session.gated.length <= session.host.settings.limits.queuedCalls) return;
    return session.host.close(session.connection, CLOSE.flooding);
  }
  if (message.type === "malformed") return refuse(session, message, answer);
  session.malformedInARow = 0;
  switch (message.type) {
    case "invocation":
      return invoke(receiving, message, answer);
    case "item":
      return session.upload(message.stream)?.push(message.item, bytes);
    case "end":
      return session
        .upload(message.stream)
        ?.end(message.error === undefined ? null : new HubError("interrupted", message.error));
    case "cancel":
      return session.cancel(message.id, new HubError("cancelled", "The caller cancelled."));
    case "answer":
      return void session.questions.answer(message.id, message.result);
    case "refusal":
      return refused(session, message.id, message.message);
    case "completed":
      return completed(session, message);
    case "ping":
      return session.host.pong(session.connection);
    case "close":
      return session.host.close(session.connection, CLOSE.normal);
    case "broken":
      return breakOff(session, message.error);
    case "ack":
    case "sequence":
      return; // The host's own.
    default:
      message satisfies never;
  }
}

const refused = (session: Session, id: CallId, message: string): void =>
  void session.questions.refuse(id, new HubError("client_error", message));

/** A stream of the client's has ended, or it has answered: its ids and ours differ. */
function completed(
  session: Session,
  { id, result, error }: Incoming & { type: "completed" },
): void {
  const upload = session.upload(id);
  if (upload) upload.end(error === undefined ? null : new HubError("interrupted", error));
  else if (error !== undefined) refused(session, id, error);
  else session.questions.answer(id, result);
}

/** What comes after cannot be understood. */
function breakOff({ host, connection }: Session, { message, detail }: HubError): void {
  logWarning("connection_broken", { hub: host.domain.hub, reason: message });
  const { detailedErrors } = host.settings;
  host.close(connection, CLOSE.malformed, detailedErrors ? (detail ?? message) : undefined);
}

/** Answers it; a client that sends nothing else is let go. */
function refuse(
  session: Session,
  message: Incoming & { type: "malformed" },
  answer: Answering,
): void {
  const { host, connection } = session;
  host.refused(message.error.code);
  if (message.id !== undefined) answer(failure(message.id, message.error));
  // A request that is answered as a whole is over anyway.
  if (connection.protocol.answersOnly) return;
  if (++session.malformedInARow >= host.settings.limits.malformedInARow)
    host.close(connection, CLOSE.malformed);
  else tolerate(session);
}

/** Every refusal costs an answer: whoever goes on and on being refused is let go. */
function tolerate({ host, connection, refusals }: Session): void {
  if (!refusals.take(Date.now())) host.close(connection, CLOSE.flooding);
}

function invoke(receiving: Receiving, invocation: Invocation, answer: Answering): void {
  const { session, served } = receiving;
  const { id, target, args, anyCase } = invocation;
  try {
    if (!session.rate.take(Date.now())) {
      tolerate(session);
      const { callsPerSecond } = session.limits;
      throw new HubError("rate_limited", `${callsPerSecond} calls a second are allowed.`);
    }
    const own = anyCase ? undefined : builtIns.get(target);
    if (!own) return startHubCall({ session, served, invocation }, answer);
    const work = () => own(receiving, args[0]);
    session.inTurn(new Call({ session, id, name: target, target, answer, work }));
  } catch (error) {
    const { detailedErrors: detailed } = session.host.settings;
    const shown = publicError(error);
    session.host.refused(shown.code);
    if (id !== undefined) answer(failure(id, shown, { target, stage: "finding", detailed }));
  }
}
