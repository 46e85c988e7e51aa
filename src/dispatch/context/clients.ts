// Whom hub code calls, over its object's host: the audiences every code has, and those that a caller has beside.

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

/** What carries the words: an object's host, or a test's list. */
export interface Voice {
  publish(
    topic: Topic,
    target: string,
    args: readonly unknown[],
    except: readonly string[],
  ): Promise<void>;
  tell(connectionId: string, target: string, args: readonly unknown[]): Promise<void>;
  ask(connectionId: string, target: string, args: readonly unknown[]): Promise<unknown>;
  /** Whether the hub declares an answer for this client method. */
  answers(target: string): boolean;
}

/** Code that does not wait for what it says shall not make an unhandled rejection of it: its call fails anyway. */
const speakingFreely = <T extends object>(say: SendCall): T =>
  callProxy<T>((target, args) => {
    const said = say(target, args);
    said.catch(() => {});
    return said;
  });

const toConnection = <C>(voice: Voice, id: string) =>
  speakingFreely<Asks<C>>((target, args) =>
    voice.answers(target) ? voice.ask(id, target, args) : voice.tell(id, target, args),
  );

export const clientsOf = <C>(voice: Voice, except: readonly string[] = []): Clients<C> =>
  new HubAudiences<C>(voice, except);

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
