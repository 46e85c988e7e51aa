// Builds what hub code gets: the context of a call, and the smaller ones of a room's hooks.

import { CLOSE } from "../../model/errors.ts";
import { ALL, roomTopic, type Topic } from "../../model/topic.ts";
import { encodeParams } from "../../protocols/json.ts";
import type { Connection } from "../../rooms/connection/connection.ts";
import type { Host } from "../../rooms/object/host.ts";
import type { Ticket } from "../../rooms/delivery/fan-out.ts";
import { callerClientsOf, clientsOf, type Voice } from "./clients.ts";
import type { HubContext, MemberContext, RoomContext } from "./context.ts";
import { check } from "../run/invocation.ts";
import { itemsOf } from "./items.ts";
import { roomOf, roomView } from "./room-views.ts";
import type { ServedHub } from "../define/hub-tables.ts";

/** What one call has said so far. Its completion waits for all of it, and fails with what failed. */
export interface Said {
  readonly tickets: Ticket[];
  readonly elsewhere: Promise<void>[];
}

export interface VoiceOptions {
  readonly host: Host;
  readonly served: ServedHub;
  /** Begins the ids of what is said, so that a repeated call says nothing twice. */
  readonly saidIn?: string | undefined;
  /** Before a client is asked: other calls of the connection may run meanwhile. */
  asking?(): void;
}

export function voiceOf(options: VoiceOptions, said: Said): Voice {
  const { host, served, saidIn, asking } = options;
  const answers: Record<string, any> = served.hub.settings.answers ?? {};
  let count = 0;
  const id = () => (saidIn === undefined ? {} : { id: `${saidIn}/${count++}` });
  return {
    answers: (target) => Object.hasOwn(answers, target),
    async publish(topic, target, args, except) {
      const draft = {
        ...id(),
        target,
        ...encodeParams(args),
        ...(except.length > 0 && { except }),
      };
      const result = host.publish(topic, draft);
      if (!(result instanceof Promise)) return void said.tickets.push(result);
      // Not waited for here: the call's completion does, and the connection's next call need not.
      result.catch(() => {});
      said.elsewhere.push(result);
    },
    tell: (connection, target, args) => host.tell(connection, target, encodeParams(args)),
    async ask(connection, target, args) {
      asking?.();
      const answer = await host.ask(connection, target, encodeParams(args));
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

/** The context of one call. Everything is made only for who looks at it: most calls look at two or three things. */
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
    return itemsOf(this.#options.host, this.#options.caller);
  }
  get all() {
    return roomView(this.#options.host, ALL);
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
    return () => this.#options.host.close(this.#options.caller, CLOSE.aborted);
  }
  #roomOf(kind: string, name: string) {
    return roomOf(this.#options.host, this.#options.caller, roomTopic(kind, name));
  }
}

export const roomContext = (host: Host, voice: Voice, room: Topic): RoomContext<any> => ({
  clients: clientsOf(voice),
  room,
  all: roomView(host, ALL),
  group: (name) => roomView(host, roomTopic("group", name)),
  order: (id) => roomView(host, roomTopic("order", id)),
});

export const memberContext = (context: RoomContext<any>, id: string): MemberContext<any> => ({
  ...context,
  user: { id },
});
