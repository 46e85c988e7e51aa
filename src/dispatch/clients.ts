// How hub code names whom it calls. Types first: what may be said to whom; then the proxies that say it.

import { formatTopic, roomTopic, ALL, type Topic } from "../model/topic.ts";

/**
 * Calls without an answer: to many, or to clients that only listen. Resolves when it is on its way, in order; the
 * caller's own call completes once it is saved, and fails with it.
 */
export type Sends<C> = {
  readonly [K in keyof C]: C[K] extends (...args: infer A) => any
    ? (...args: A) => Promise<void>
    : never;
};

/** Calls to one client: those that answer are waited for. */
export type Asks<C> = {
  readonly [K in keyof C]: C[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

export interface Clients<C> {
  /** Every connection of the hub in this tenant. */
  readonly all: Sends<C>;
  group(...names: string[]): Sends<C>;
  order(...ids: string[]): Sends<C>;
  user(...ids: string[]): Sends<C>;
  connection(id: string): Asks<C>;
  connections(...ids: string[]): Sends<C>;
  /** The same audiences without these connections. */
  except(...connectionIds: string[]): Clients<C>;
}

export interface CallerClients<C> extends Clients<C> {
  readonly caller: Asks<C>;
  /** Every connection of the hub but the caller. */
  readonly others: Sends<C>;
  /** Everybody in the group but the caller. */
  othersIn(group: string): Sends<C>;
}

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

type Say = (target: string, args: unknown[]) => Promise<unknown>;

/** `then` is nobody's method: a proxy that had one would never come out of an `await`. */
const speaking = <T extends object>(say: Say): T =>
  new Proxy({} as T, {
    get: (_, target) =>
      typeof target === "string" && target !== "then"
        ? (...args: unknown[]) => handled(say(target, args))
        : undefined,
  });

/** Code that does not wait for what it says shall not make an unhandled rejection of it: its call fails anyway. */
function handled<T>(said: Promise<T>): Promise<T> {
  said.catch(() => {});
  return said;
}

const toTopics = <C>(voice: Voice, topics: readonly Topic[], except: readonly string[]) =>
  speaking<Sends<C>>(async (target, args) => {
    await Promise.all(topics.map((topic) => voice.publish(topic, target, args, except)));
  });

const toConnection = <C>(voice: Voice, id: string) =>
  speaking<Asks<C>>((target, args) =>
    voice.answers(target) ? voice.ask(id, target, args) : voice.tell(id, target, args),
  );

export const clientsOf = <C>(voice: Voice, except: readonly string[] = []): Clients<C> =>
  new Audiences<C>(voice, except);

export const callerClientsOf = <C>(voice: Voice, caller: string): CallerClients<C> =>
  new CallersAudiences<C>(voice, caller);

/** Each audience is made only for who names it; as getters, so that they may be taken apart. */
class Audiences<C> implements Clients<C> {
  protected readonly voice: Voice;
  readonly #except: readonly string[];

  constructor(voice: Voice, except: readonly string[]) {
    this.voice = voice;
    this.#except = except;
  }
  get all() {
    return toTopics<C>(this.voice, [ALL], this.#except);
  }
  get group() {
    return (...names: string[]) => this.#rooms("group", names);
  }
  get order() {
    return (...ids: string[]) => this.#rooms("order", ids);
  }
  get user() {
    return (...ids: string[]) => this.#rooms("user", ids);
  }
  get connection() {
    return (id: string) => toConnection<C>(this.voice, id);
  }
  get connections() {
    return (...ids: string[]) =>
      speaking<Sends<C>>(async (target, args) => {
        await Promise.all([...new Set(ids)].map((id) => this.voice.tell(id, target, args)));
      });
  }
  get except() {
    return (...ids: string[]) => clientsOf<C>(this.voice, [...this.#except, ...ids]);
  }
  #rooms(kind: string, names: readonly string[]): Sends<C> {
    const topics = names.map((name) => roomTopic(kind, name));
    return toTopics<C>(this.voice, topics.length > 1 ? distinct(topics) : topics, this.#except);
  }
}

class CallersAudiences<C> extends Audiences<C> implements CallerClients<C> {
  readonly #caller: string;

  constructor(voice: Voice, caller: string) {
    super(voice, []);
    this.#caller = caller;
  }
  get caller() {
    return toConnection<C>(this.voice, this.#caller);
  }
  get others() {
    return toTopics<C>(this.voice, [ALL], [this.#caller]);
  }
  get othersIn() {
    return (name: string) => toTopics<C>(this.voice, [roomTopic("group", name)], [this.#caller]);
  }
}

/** One audience named twice is told once. */
const distinct = (topics: readonly Topic[]): Topic[] => [
  ...new Map(topics.map((topic) => [formatTopic(topic), topic])).values(),
];
