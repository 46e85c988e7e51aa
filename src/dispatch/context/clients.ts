// The audiences of hub code: those of every context, and those that only a call has, which exclude or address its
// caller.

import {
  Audiences,
  callProxy,
  type Asks,
  type Clients,
  type ClientCall,
  type SendCall,
  type Sends,
} from "../../model/audiences.ts";
import { ALL, roomTopic, type Topic } from "../../model/topic.ts";
import type { CallerClients } from "../define/hub-context.ts";

/** The transport of hub code's messages: an object's host in the server, a list in tests. */
export interface Voice {
  /**
   * Publishes in a room, without the connections in `except`. Resolves once the message is on its way, in order; errors
   * of saving are reported to the call that published, not here. Rejects with `too_large` or `invalid_request`.
   */
  publish(
    topic: Topic,
    target: string,
    args: readonly unknown[],
    except: readonly string[],
  ): Promise<void>;
  /** Invokes a client method that has no result. Does nothing if the connection is gone. */
  tell(connectionId: string, target: string, args: readonly unknown[]): Promise<void>;
  /**
   * Invokes a client method and waits for its result, which is validated. Rejects with `connection_not_found`,
   * `timed_out`, `interrupted`, `client_error`, and `invalid_arguments` for a result that its schema refuses.
   */
  ask(connectionId: string, target: string, args: readonly unknown[]): Promise<unknown>;
  /** Whether the hub declares a result for this client method. */
  answers(target: string): boolean;
}

/**
 * A proxy whose promises may be ignored: hub code that does not await a message causes no unhandled rejection.
 */
const speakingFreely = <T extends object>(say: SendCall): T =>
  callProxy<T>((target, args) => {
    const said = say(target, args);
    said.catch(() => {});
    return said;
  });

/** Calls to one connection: those with a declared result wait for it. */
const toConnection = <C>(voice: Voice, id: string) =>
  speakingFreely<Asks<C>>((target, args) =>
    voice.answers(target) ? voice.ask(id, target, args) : voice.tell(id, target, args),
  );

/** The audiences of a hook; `except` are ids of connections that receive nothing. */
export const clientsOf = <C>(voice: Voice, except: readonly string[] = []): Clients<C> =>
  new HubAudiences<C>(voice, except);

/** The audiences of a call; `caller` is the id of its connection. */
export const callerClientsOf = <C>(voice: Voice, caller: string): CallerClients<C> =>
  new CallersAudiences<C>(voice, caller);

class HubAudiences<C> extends Audiences<C, Asks<C>> {
  protected readonly voice: Voice;

  constructor(voice: Voice, except: readonly string[]) {
    super(except);
    this.voice = voice;
  }
  get connection() {
    return (id: string) => toConnection<C>(this.voice, id);
  }
  get except() {
    return (...ids: string[]) => clientsOf<C>(this.voice, [...this.excluded, ...ids]);
  }
  protected async publish(topics: readonly Topic[], { target, args, except }: ClientCall) {
    await Promise.all(topics.map((topic) => this.voice.publish(topic, target, args, except)));
  }
  protected override proxyOf(say: SendCall) {
    return speakingFreely<Sends<C>>(say);
  }
  protected send(id: string, { target, args }: ClientCall) {
    return this.voice.tell(id, target, args);
  }
}

class CallersAudiences<C> extends HubAudiences<C> implements CallerClients<C> {
  readonly #caller: string;

  constructor(voice: Voice, caller: string) {
    super(voice, []);
    this.#caller = caller;
  }
  get caller() {
    return toConnection<C>(this.voice, this.#caller);
  }
  get others() {
    return this.toTopics([ALL], [this.#caller]);
  }
  get othersIn() {
    return (name: string) => this.toTopics([roomTopic("group", name)], [this.#caller]);
  }
}
