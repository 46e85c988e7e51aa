// How hub code names whom it calls. Types first: what may be said to whom; then the proxies that say it.

import { formatTopic, roomTopic, ALL, type Topic } from "../model/topic.ts";

/** Calls without an answer: to many, or to clients that only listen. Resolves once the room has numbered it. */
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

export function clientsOf<C>(voice: Voice, except: readonly string[] = []): Clients<C> {
  const rooms = (kind: string) => (names: readonly string[]) =>
    toTopics<C>(voice, distinct(names.map((name) => roomTopic(kind, name))), except);
  const [group, order, user] = [rooms("group"), rooms("order"), rooms("user")];
  return {
    get all() {
      return toTopics<C>(voice, [ALL], except);
    },
    group: (...names) => group(names),
    order: (...ids) => order(ids),
    user: (...ids) => user(ids),
    connection: (id) => toConnection<C>(voice, id),
    except: (...ids) => clientsOf<C>(voice, [...except, ...ids]),
  };
}

export function callerClientsOf<C>(voice: Voice, caller: string): CallerClients<C> {
  const clients = clientsOf<C>(voice);
  return {
    get all() {
      return clients.all;
    },
    group: clients.group,
    order: clients.order,
    user: clients.user,
    connection: clients.connection,
    except: clients.except,
    get caller() {
      return toConnection<C>(voice, caller);
    },
    get others() {
      return toTopics<C>(voice, [ALL], [caller]);
    },
    othersIn: (name) => toTopics<C>(voice, [roomTopic("group", name)], [caller]),
  };
}

/** One audience named twice is told once. */
const distinct = (topics: readonly Topic[]): Topic[] => [
  ...new Map(topics.map((topic) => [formatTopic(topic), topic])).values(),
];
