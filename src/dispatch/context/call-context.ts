// Builds the contexts of hub code: that of a call, and the smaller ones of a room's hooks. Their contracts are in
// define/hub-context.ts.

import { CLOSE } from "../../model/errors.ts";
import { ALL, roomTopic, type Topic } from "../../model/topic.ts";
import { encodeParams } from "../../protocols/json.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import type { Ticket } from "../../rooms/delivery/fan-out.ts";
import { callerClientsOf, clientsOf, type Voice } from "./clients.ts";
import type { HubContext, MemberContext, RoomContext } from "../define/hub-context.ts";
import { check } from "../define/check-value.ts";
import { itemsOf } from "./items.ts";
import { roomOf, roomView } from "./room-views.ts";
import type { ServedHub } from "../define/hub-tables.ts";

/** The publications of one call so far. The call completes once all of them are saved. */
export interface Publications {
  /** In this object's room: after the next flush, each has its error or null. */
  readonly tickets: Ticket[];
  /** In rooms of other objects: each resolves once its message is durable there. */
  readonly elsewhere: Promise<void>[];
}

export interface VoiceOptions {
  readonly host: Pick<Host, "clients" | "publishing">;
  readonly served: ServedHub;
  /**
   * The prefix of publication ids, the same for repetitions of a call: rooms drop a repeated id. Absent: publications
   * have no ids.
   */
  readonly idPrefix?: string | undefined;
  /** Called before hub code waits for a client's result: other calls of the connection may run meanwhile. */
  asking?(): void;
}

/**
 * The transport of one call's messages, which adds its publications to `published`. Publications to one room keep their
 * order.
 */
export function voiceOf(options: VoiceOptions, published: Publications): Voice {
  const { host, served, idPrefix, asking } = options;
  const answers: Record<string, any> = served.hub.settings.answers ?? {};
  let count = 0;
  return {
    answers: (target) => Object.hasOwn(answers, target),
    async publish(topic, target, args, except) {
      const result = host.publishing.publish(topic, {
        ...(idPrefix !== undefined && { id: `${idPrefix}/${count++}` }),
        target,
        ...encodeParams(args),
        ...(except.length > 0 && { except }),
      });
      if (!(result instanceof Promise)) return void published.tickets.push(result);
      // Not awaited here: the call's completion waits, and the connection's next call need not. The rejection is not
      // lost either: the completion fails with it.
      result.catch(() => {});
      published.elsewhere.push(result);
    },
    tell: (connection, target, args) => host.clients.tell(connection, target, encodeParams(args)),
    async ask(connection, target, args) {
      asking?.();
      const answer = await host.clients.ask(connection, target, encodeParams(args));
      return check(answers[target], answer, `The answer to ${target}`);
    },
  };
}

export interface CallContext {
  /** The ports of the object that holds the caller's connection. */
  readonly host: Host;
  readonly caller: Connection;
  readonly voice: Voice;
  /** Called on first use: signals are expensive, and most calls use none. */
  signal(): AbortSignal;
}

/** The context of one call, or of a connection's `connected` and `disconnected`. */
export const callContext = (options: CallContext): HubContext<any> => new OneCall(options);

/** Members are getters, built at each use: most calls use two or three of them. */
class OneCall implements HubContext<any> {
  readonly #options: CallContext;

  constructor(options: CallContext) {
    this.#options = options;
  }
  get connectionId() {
    return this.#options.caller.id;
  }
  get user() {
    return this.#options.caller.user;
  }
  get clients() {
    return callerClientsOf<any>(this.#options.voice, this.connectionId);
  }
  get room() {
    return this.#options.host.roomOf(this.#options.caller);
  }
  get request() {
    return this.#options.caller.attached.request;
  }
  get items() {
    return itemsOf(this.#options.host.connections, this.#options.caller);
  }
  get all() {
    return roomView(this.#options.host.rooms, ALL);
  }
  get signal() {
    return this.#options.signal();
  }
  get group() {
    return (name: string) => this.#roomOf("group", name);
  }
  get order() {
    return (id: string) => this.#roomOf("order", id);
  }
  get abort() {
    const { host, caller } = this.#options;
    return () => host.connections.close(caller, CLOSE.aborted);
  }
  #roomOf(kind: string, name: string) {
    return roomOf(this.#options.host, this.#options.caller, roomTopic(kind, name));
  }
}

/** The context of hooks about a room. Its rooms can be read, but there is no caller to put into them. */
export const roomContext = (host: Host, voice: Voice, room: Topic): RoomContext<any> => ({
  clients: clientsOf(voice),
  room,
  all: roomView(host.rooms, ALL),
  group: (name) => roomView(host.rooms, roomTopic("group", name)),
  order: (id) => roomView(host.rooms, roomTopic("order", id)),
});

/** The context of hooks about one user in a room. */
export const memberContext = (context: RoomContext<any>, id: string): MemberContext<any> => ({
  ...context,
  user: { id },
});
