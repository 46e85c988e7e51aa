// Members of the mixed crowd that subscribe by gRPC-Web or Connect, and one that publishes so.

import { pause } from "../load.ts";
import { eventually } from "../client.ts";
import { Member, type HowCut, type Place } from "../mixed-crowd.ts";
import { heardAt } from "../mixed-placed.ts";
import { parsed } from "../mixed-record.ts";
import {
  Standing_Outcome as Outcome,
  type Standing,
  type SubscribeResponse,
} from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import { argumentsIn, as, clientAt, list, SERVICE, type ProtocolName } from "./clients.ts";

const RETRY_MS = 20;

export class GrpcMember extends Member {
  override readonly rooms: readonly string[];
  readonly #protocol: ProtocolName;
  readonly #over = new AbortController();
  #call = new AbortController();
  /** Rooms that said where they stand, in the call of now. */
  #greeted = new Set<string>();
  #running: Promise<void> | undefined;
  /** Events heard. */
  heard = 0;

  constructor(place: Place, rooms: readonly string[], protocol: ProtocolName) {
    super(place);
    this.rooms = rooms;
    this.#protocol = protocol;
  }

  override async enter(): Promise<void> {
    this.#running = this.#run();
    await this.back();
  }

  async #run(): Promise<void> {
    while (!this.#over.signal.aborted) {
      this.#call = new AbortController();
      // However it ends, it is called again with the positions of now.
      await this.#listen().catch(() => {});
      this.#greeted.clear();
      await pause(RETRY_MS);
    }
  }

  async #listen(): Promise<void> {
    const { endpoint, hub } = this.crowd;
    const topics = this.rooms.map((topic) => ({
      topic,
      position: this.record(topic).ledger.position(this.name, topic) ?? "",
    }));
    const options = { ...(await as(endpoint, this.name)), signal: this.#call.signal };
    const client = clientAt(this.proxy.url, this.#protocol);
    for await (const said of client.subscribe({ hub, topics, presence: true }, options))
      this.#take(said);
  }

  #take({ kind }: SubscribeResponse): void {
    // What comes to a caller that is killed is not heard.
    if (this.#call.signal.aborted) return;
    if (kind.case === "standing") this.#stands(kind.value);
    if (kind.case === "event") this.#hear(kind.value, kind.value.target, argumentsIn(kind.value));
    if (kind.case === "presence") this.#hear(kind.value, "presence", kind.value.change);
  }

  #stands({ topic, outcome, position }: Standing): void {
    this.#greeted.add(topic);
    this.record(topic).came(this.name, {
      ...{ room: topic, position, recovered: outcome === Outcome.RECOVERED },
    });
  }

  #hear({ topic, position }: { topic: string; position: string }, name: string, data: unknown) {
    if (!this.rooms.includes(topic)) return;
    this.heard += 1;
    this.record(topic).heard(this.name, heardAt(topic, position, name, data));
  }

  override async cut(how: HowCut): Promise<void> {
    this.#greeted.clear();
    if (how === "close") this.#call.abort();
    else this.proxy.sever(how);
  }

  override async back(): Promise<void> {
    const isIn = async () => this.#greeted.size === this.rooms.length;
    await eventually(isIn, `${this.name} is back`);
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#call.abort();
    await this.#running;
    await super[Symbol.asyncDispose]();
  }
}

/** Only publishes: unary calls, one after the other. */
export class GrpcSpeaker extends Member {
  override readonly rooms: readonly string[] = [];
  #said: Promise<unknown> = Promise.resolve();

  override async enter(): Promise<void> {}
  override async cut(): Promise<void> {}
  override async back(): Promise<void> {}

  override async say(room: string, text: string): Promise<void> {
    const said = this.#said.then(() => this.#publish(room, text));
    this.#said = said.catch(() => {});
    return said;
  }

  async #publish(topic: string, text: string): Promise<void> {
    const { endpoint, hub } = this.crowd;
    const idempotencyKey = parsed(text).stamp + topic;
    const said = { hub, topic, target: "said", arguments: list(text), idempotencyKey };
    await clientAt(this.proxy.url).publish(said, await as(endpoint, this.name, SERVICE));
  }
}
