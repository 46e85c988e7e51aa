// What hub code can do from an object: the Host, over the object's parts. Here by a function call, elsewhere by RPC.

import { HubError, type CloseReason } from "../model/errors.ts";
import { formatTopic, type Topic } from "../model/topic.ts";
import { connectionId, homeOf } from "./address.ts";
import { save, type Connection } from "./connection.ts";
import { queuedBytes } from "./connections.ts";
import type { Parts } from "./parts.ts";
import type { Draft, Host, Receiver } from "./receiver.ts";

export function hostOf(
  parts: Parts,
  ctx: Pick<DurableObjectState, "waitUntil">,
  env: object,
  receiver: Receiver,
): Host {
  const { address, settings, publisher, connections, follows, log, roster, peer } = parts;
  const isHere = (topic: Topic) => formatTopic(topic) === formatTopic(address.topic);
  const localTo = (id: string): Connection | undefined => {
    const connection = connections.get(id);
    if (!connection && isHere(homeOf(id))) throw missing();
    return connection;
  };
  const host: Host = {
    address,
    settings,
    env,
    publish(topic, draft) {
      checkDraft(draft, settings.limits.publishBytes);
      return isHere(topic) ? publisher.publish(draft) : publishAt(peer(topic), draft);
    },
    send: (connection, message) => publisher.send(connection, message),
    queuedBytes: ({ socket }) => queuedBytes(socket),
    async tell(id, target, params) {
      const connection = localTo(id);
      if (!connection) return peer(homeOf(id)).tell(id, target, params);
      publisher.send(connection, { type: "invocation", target, params });
    },
    async ask(id, target, params) {
      const connection = localTo(id);
      return connection
        ? receiver.ask(host, connection, target, params)
        : peer(homeOf(id)).ask(id, target, params);
    },
    async join(connection, topic) {
      if (!isHere(topic)) await follows.join(connection, topic);
    },
    async leave(connection, topic) {
      if (isHere(topic))
        throw new HubError(
          "invalid_request",
          "This connection lives in that room: to leave, close it.",
        );
      await follows.leave(connection, topic);
    },
    async history(topic, query) {
      return isHere(topic)
        ? log.page(query, Date.now(), settings.limits.recovery)
        : peer(topic).history(query);
    },
    async presence(topic, query) {
      return isHere(topic) ? roster.view(query) : peer(topic).presence(query);
    },
    async track(userId, topic, state) {
      return isHere(topic) ? roster.track(userId, state) : peer(topic).track(userId, state);
    },
    close: (connection: Connection, why: CloseReason) => connections.close(connection, why),
    renew(connection, user) {
      save(connection, { user });
      parts.agenda.arm(user.expiresAt);
    },
    remember: (connection, openCalls) => save(connection, { openCalls }),
    waitUntil: (work) => ctx.waitUntil(work),
  };
  return host;
}

const missing = () => new HubError("connection_not_found", "There is no connection with that id.");

/** Hub code may not speak the protocol's own words, and what it says must fit into a row. */
function checkDraft({ target, params }: Draft, most: number): void {
  if (target.startsWith("$"))
    throw new HubError("invalid_request", "A target may not begin with $.");
  if (params.length > most || (params.length * 3 > most && byteLength(params) > most))
    throw new HubError("too_large", `A message has ${most} bytes at most.`);
}

const byteLength = (text: string): number => new TextEncoder().encode(text).byteLength;

/** An id of its own makes a second attempt harmless: the room knows what it has said. */
async function publishAt(
  room: { publish(draft: Draft): Promise<unknown> },
  draft: Draft,
): Promise<void> {
  const identified = { ...draft, id: draft.id ?? randomId() };
  try {
    await room.publish(identified);
  } catch (error) {
    if (error instanceof Error && error.name === "HubError") throw error;
    await room.publish(identified);
  }
}

const randomId = (): string => crypto.randomUUID();

/** The id of a new connection of this object. */
export const newConnectionId = (home: Topic): string =>
  connectionId(home, crypto.getRandomValues(new Uint8Array(16)));
