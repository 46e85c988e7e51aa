// The `clients` of a backend: the same audiences as in hub code, but they publish through the REST API.

import type { Answers } from "../../dispatch/define/hub-definition.ts";
import type { WireResult } from "../../dispatch/define/hub-types.ts";
import {
  Audiences,
  callProxy,
  type Clients,
  type ClientCall,
  type Sends,
} from "../../model/audiences.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import { checkBroadcast, type BroadcastResponse } from "./backend-answers.ts";
import { DEFAULTS } from "./backend-options.ts";
import { bodyOf, type SendRequest } from "./backend-requests.ts";
import { roomPath, segment } from "./backend-urls.ts";

/** The client methods that return a result, with the wire type of the result. */
export type Invocable<C> = {
  readonly [K in keyof C & keyof Answers<C>]: C[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<WireResult<Awaited<R>>>
    : never;
};

/**
 * One client. Unlike hub code, a service only has the hub's types, so that it cannot know at run time which methods
 * return a result. The caller therefore chooses between `send` and `invoke`, as with a client of `connect`.
 */
export interface OneClient<C> {
  /**
   * Sends without waiting for a result. After a lost connection to the endpoint it rejects, and does not send again.
   */
  readonly send: Sends<C>;
  /** Calls the client's handler, and resolves with its result. Not repeated after a lost connection, either. */
  readonly invoke: Invocable<C>;
}

/** The hub's clients as a service calls them. A call resolves when its message is saved. */
export type ServiceClients<C> = Clients<C, OneClient<C>>;

/** The most rooms in one `:broadcast`. */
const ROOMS_A_REQUEST = 100;

export interface PublishContext {
  readonly send: SendRequest;
  /** Undefined: a random one for each publication. */
  readonly idempotencyKey: string | undefined;
}

type OneCall = Pick<ClientCall, "target" | "args">;

export class ServiceAudiences<C> extends Audiences<C, OneClient<C>> {
  readonly #context: PublishContext;

  /** `except` are ids of connections that no publication reaches. */
  constructor(context: PublishContext, except: readonly string[] = []) {
    super(except);
    this.#context = context;
  }
  get connection() {
    return (id: string): OneClient<C> => ({
      send: callProxy<Sends<C>>((target, args) => this.send(id, { target, args })),
      invoke: callProxy<Invocable<C>>((target, args) => this.#invoke(id, { target, args })),
    });
  }
  get except() {
    return (...ids: string[]): ServiceClients<C> =>
      new ServiceAudiences<C>(this.#context, [...this.excluded, ...ids]);
  }

  /** Several rooms share one request. Resolves once all rooms have saved the publication. */
  protected async publish(topics: readonly Topic[], publication: ClientCall): Promise<void> {
    const [first, ...others] = topics;
    if (first === undefined) return;
    if (others.length === 0) return void (await publish(this.#context, first, publication));
    const starts = Array.from(
      { length: Math.ceil(topics.length / ROOMS_A_REQUEST) },
      (_, i) => i * ROOMS_A_REQUEST,
    );
    await Promise.all(
      starts.map((start) =>
        broadcast(this.#context, topics.slice(start, start + ROOMS_A_REQUEST), publication),
      ),
    );
  }
  protected async send(id: string, call: OneCall): Promise<void> {
    await this.#post(`/connections/${segment(id)}/:send`, call);
  }
  async #invoke(id: string, call: OneCall): Promise<unknown> {
    const path = `/connections/${segment(id)}/:invoke`;
    const response = await this.#post(path, call, DEFAULTS.invokeSeconds);
    return (response as { readonly result?: unknown } | undefined)?.result;
  }
  /** Not repeated: neither request carries an idempotency key. */
  #post(path: string, { target, args }: OneCall, timeoutSeconds?: number): Promise<unknown> {
    return this.#context.send({
      ...{ method: "POST", path, isOnce: true },
      body: bodyOf({ target, arguments: args }),
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    });
  }
}

/** Publishes in one room. Resolves with the publication's position, as the endpoint writes it. */
export const publish = async (
  context: PublishContext,
  topic: Topic,
  publication: ClientCall,
): Promise<unknown> =>
  context.send({
    method: "POST",
    path: `${roomPath(topic)}/:publish`,
    body: bodyOf(published(publication, context)),
  });

async function broadcast(
  context: PublishContext,
  topics: readonly Topic[],
  publication: ClientCall,
): Promise<void> {
  const rooms = topics.map(formatTopic);
  const body = bodyOf({ rooms, ...published(publication, context) });
  const response = await context.send({ method: "POST", path: "/:broadcast", body });
  checkBroadcast(rooms, response as BroadcastResponse);
}

/** Built once for all attempts of a request, so that all of them have the same key. */
const published = ({ target, args, except }: ClientCall, { idempotencyKey }: PublishContext) => ({
  target,
  arguments: args,
  idempotency_key: idempotencyKey ?? crypto.randomUUID(),
  ...(except.length > 0 && { excluded: except }),
});
