// Builds the contexts that hub code gets: that of a call, and the smaller ones of a room's hooks.

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

/** What one call has published so far, in this object's room and in others. */
export interface Publications {
  readonly tickets: Ticket[];
  readonly elsewhere: Promise<void>[];
}

export interface VoiceOptions {
  readonly host: Pick<Host, "clients" | "publishing">;
  readonly served: ServedHub;
  /** Begins the ids of publications, so that a repeated call publishes nothing twice. */
  readonly idPrefix?: string | undefined;
  /** Called before the code waits for a client: other calls of the connection may run meanwhile. */
  asking?(): void;
}

/** Carries hub code's messages to rooms and clients. */
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
      // Not waited for here: the call's completion waits, and the connection's next call need not.
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
  readonly host: Host;
  readonly caller: Connection;
  readonly voice: Voice;
  signal(): AbortSignal;
}

export const callContext = (options: CallContext): HubContext<any> => new OneCall(options);

/** The context of one call. Each member is made on first use: most calls use two or three. */
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

export const roomContext = (host: Host, voice: Voice, room: Topic): RoomContext<any> => ({
  clients: clientsOf(voice),
  room,
  all: roomView(host.rooms, ALL),
  group: (name) => roomView(host.rooms, roomTopic("group", name)),
  order: (id) => roomView(host.rooms, roomTopic("order", id)),
});

export const memberContext = (context: RoomContext<any>, id: string): MemberContext<any> => ({
  ...context,
  user: { id },
});
