// Which call: turns what connections receive into calls of hubs, and rooms' events into hubs' hooks.

import { CLOSE, HubError, publicError } from "../model/errors.ts";
import type { Incoming, Invocation } from "../model/message.ts";
import type { Connection } from "../rooms/connection.ts";
import type { Host, Receiver } from "../rooms/receiver.ts";
import { failure, singly, together, type Answering } from "./answering.ts";
import { builtIns, type Verify } from "./built-ins.ts";
import { startCall } from "./call.ts";
import { callContext, voiceOf } from "./contexts.ts";
import type { HubContext } from "./context.ts";
import type { HubOptions } from "./hub.ts";
import { presenceHooks } from "./hooks.ts";
import { Session } from "./session.ts";
import type { Hubs, ServedHub } from "./tables.ts";

export interface DispatcherOptions {
  readonly hubs: Hubs;
  readonly verify: Verify;
}

export function dispatcher({ hubs, verify }: DispatcherOptions): Receiver {
  // Keyed by connection, so it ends with the object's memory; objects that share the isolate cannot meet in it.
  const sessions = new WeakMap<Connection, Session>();
  const sessionOf = (host: Host, connection: Connection): Session => {
    let session = sessions.get(connection);
    if (!session) sessions.set(connection, (session = new Session(host, connection)));
    return session;
  };
  const servedBy = (host: Host): ServedHub => {
    const served = hubs.get(host.address.hub);
    if (!served) throw new HubError("hub_not_found", "There is no such hub.");
    return served;
  };
  return {
    settings: (hub) => hubs.get(hub)?.settings,
    received: (host, connection, frame) =>
      receive({ session: sessionOf(host, connection), served: servedBy(host), verify }, frame),
    async opened(host, connection) {
      try {
        await lifecycle(host, servedBy(host), connection, (hub, context) =>
          hub.connected?.(context),
        );
      } catch (error) {
        console.error("connected:", error);
        host.close(connection, CLOSE.aborted);
      }
    },
    async closed(host, connection, error) {
      sessions.get(connection)?.close();
      await lifecycle(host, servedBy(host), connection, (hub, context) =>
        hub.disconnected?.(context, error),
      );
    },
    awoke(host, connection) {
      const { openCalls } = connection.attached;
      if (openCalls.length === 0) return;
      const lost = new HubError("interrupted", "The server lost this call; call again.");
      for (const id of openCalls) host.send(connection, failure(JSON.parse(id) as string, lost));
      host.remember(connection, []);
    },
    presenceChanged: (host, joined, left) => presenceHooks(host, servedBy(host), joined, left),
    ask: (host, connection, target, params) =>
      sessionOf(host, connection).questions.ask((id) =>
        host.send(connection, { type: "invocation", id, target, params }),
      ),
  };
}

async function lifecycle(
  host: Host,
  served: ServedHub,
  caller: Connection,
  run: (settings: HubOptions<unknown>, context: HubContext<unknown>) => unknown,
): Promise<void> {
  const voice = voiceOf({ host, served }, { tickets: [], elsewhere: [] });
  const { signal } = new AbortController();
  await run(served.hub.settings, callContext({ host, caller, voice, signal: () => signal }));
}

interface Receiving {
  readonly session: Session;
  readonly served: ServedHub;
  readonly verify: Verify;
}

function receive(receiving: Receiving, frame: string | ArrayBuffer): void {
  const { host, connection } = receiving.session;
  const { messages, batch } = connection.protocol.decode(frame, host.settings.limits);
  const wanted = messages.filter(wantsAnswer).length;
  const answer =
    batch && wanted > 0 ? together(host, connection, wanted) : singly(host, connection);
  const bytes =
    (typeof frame === "string" ? frame.length : frame.byteLength) / (messages.length || 1);
  for (const message of messages) take(receiving, message, answer, bytes);
}

const wantsAnswer = (message: Incoming): boolean =>
  message.type === "malformed" || (message.type === "invocation" && message.id !== undefined);

function take(receiving: Receiving, message: Incoming, answer: Answering, bytes: number): void {
  const { session } = receiving;
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
      return session.get(message.id)?.cancel(new HubError("cancelled", "The caller cancelled."));
    case "answer":
      return void session.questions.answer(message.id, message.result);
    case "refusal":
      return void session.questions.refuse(
        message.id,
        new HubError("client_error", message.message),
      );
    default:
      message satisfies never;
  }
}

/** Answers it; a client that sends nothing else is let go. */
function refuse(
  session: Session,
  message: Incoming & { type: "malformed" },
  answer: Answering,
): void {
  const { host, connection } = session;
  answer(failure(message.id, message.error));
  if (++session.malformedInARow >= host.settings.limits.malformedInARow)
    host.close(connection, CLOSE.malformed);
}

function invoke(receiving: Receiving, invocation: Invocation, answer: Answering): void {
  const { session, served } = receiving;
  try {
    if (!session.rate.take(Date.now())) {
      const { callsPerSecond } = session.host.settings.limits;
      throw new HubError("rate_limited", `${callsPerSecond} calls a second are allowed.`);
    }
    const own = builtIns.get(invocation.target);
    if (!own) return startCall(session, served, invocation, answer);
    session.inTurn(() => answerOwn(own(receiving, invocation.args[0]), invocation, answer));
  } catch (error) {
    if (invocation.id !== undefined) answer(failure(invocation.id, publicError(error)));
  }
}

async function answerOwn(
  work: Promise<unknown>,
  { id, target }: Invocation,
  answer: Answering,
): Promise<void> {
  try {
    const result = await work;
    if (id !== undefined) answer({ type: "completion", id, result });
  } catch (error) {
    const shown = publicError(error);
    if (shown.code === "internal") console.error(`${target}:`, error);
    if (id !== undefined) answer(failure(id, shown));
  }
}
