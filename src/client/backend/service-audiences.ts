// Whom a service reaches, in the words of hub code.

import type { Answers } from "../../dispatch/define/hub-definition.ts";
import type { Wire } from "../../dispatch/define/hub-types.ts";
import {
  Audiences,
  callProxy,
  type Clients,
  type ClientCall,
  type Sends,
} from "../../model/audiences.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import { toJson } from "../../protocols/json.ts";
import { roomPath, segment } from "./backend-urls.ts";
import { checkBroadcast, type Broadcast } from "./backend-answers.ts";
import { DEFAULTS } from "./backend-options.ts";
import type { Requests } from "./backend-requests.ts";

/** The client methods that answer, and what their answers are after the wire. */
export type Invocable<C> = {
  readonly [K in keyof C & keyof Answers<C>]: C[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Wire<Awaited<R>>>
    : never;
};

/**
 * One client. A service has the hub's types and not the hub, which alone knows at run time which methods answer: so it
 * says which way it calls, in the words of `connect`.
 */
export interface OneClient<C> {
  /** Tells it, and waits for no answer. A lost connection to the endpoint is an error: it is not said again. */
  readonly send: Sends<C>;
  /** Asks it, and waits for its answer. */
  readonly invoke: Invocable<C>;
}

export type ServiceClients<C> = Clients<C, OneClient<C>>;

/** Rooms of one `:broadcast`. */
const AT_ONCE = 100;

export interface Speech {
  readonly requests: Requests;
  readonly idempotencyKey: string | undefined;
}

export class ServiceAudiences<C> extends Audiences<C, OneClient<C>> {
  readonly #speech: Speech;

  constructor(speech: Speech, except: readonly string[] = []) {
    super(except);
    this.#speech = speech;
  }
  get connection() {
    return (id: string): OneClient<C> => ({
      send: callProxy<Sends<C>>((target, args) => this.send(id, { target, args })),
      invoke: callProxy<Invocable<C>>((target, args) => this.#ask(id, { target, args })),
    });
  }
  get except() {
    return (...ids: string[]): ServiceClients<C> =>
      new ServiceAudiences<C>(this.#speech, [...this.excluded, ...ids]);
  }

  protected async publish(topics: readonly Topic[], said: ClientCall): Promise<void> {
    const [first, ...others] = topics;
    if (first === undefined) return;
    if (others.length === 0) return void (await publish(this.#speech, first, said));
    const starts = Array.from(
      { length: Math.ceil(topics.length / AT_ONCE) },
      (_, i) => i * AT_ONCE,
    );
    await Promise.all(
      starts.map((start) => broadcast(this.#speech, topics.slice(start, start + AT_ONCE), said)),
    );
  }
  protected async send(id: string, said: Pick<ClientCall, "target" | "args">): Promise<void> {
    await this.#toOne(id, ":send", said);
  }
  async #ask(id: string, said: Pick<ClientCall, "target" | "args">): Promise<unknown> {
    const answer = await this.#toOne(id, ":invoke", said, DEFAULTS.askSeconds);
    return (answer as { readonly result?: unknown } | undefined)?.result;
  }
  #toOne(
    id: string,
    verb: ":send" | ":invoke",
    { target, args }: Pick<ClientCall, "target" | "args">,
    timeoutSeconds?: number,
  ): Promise<unknown> {
    return this.#speech.requests({
      method: "POST",
      path: `/connections/${segment(id)}/${verb}`,
      body: toJson({ target, arguments: args }),
      once: true,
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    });
  }
}

/** Says it in one room: answers where, as the endpoint writes it. */
export const publish = (speech: Speech, topic: Topic, said: ClientCall): Promise<unknown> =>
  speech.requests({
    method: "POST",
    path: `${roomPath(topic)}/:publish`,
    body: toJson(bodyOf(said, speech)),
  });

async function broadcast(
  speech: Speech,
  topics: readonly Topic[],
  said: ClientCall,
): Promise<void> {
  const rooms = topics.map(formatTopic);
  const body = toJson({ rooms, ...bodyOf(said, speech) });
  const answer = await speech.requests({ method: "POST", path: "/:broadcast", body });
  checkBroadcast(rooms, answer as Broadcast);
}

/** Made once for all attempts, and with it the key. */
const bodyOf = ({ target, args, except }: ClientCall, { idempotencyKey }: Speech) => ({
  target,
  arguments: args,
  idempotency_key: idempotencyKey ?? crypto.randomUUID(),
  ...(except.length > 0 && { excluded: except }),
});
