// Members of the mixed crowd that subscribe by gRPC-Web or Connect, and one that publishes so.

import { Member, type Place } from "../mixed-crowd.ts";
import { heardAt } from "../mixed-placed.ts";
import { parsed } from "../mixed-record.ts";
import { StreamMember } from "../mixed-stream.ts";
import {
  Standing_Outcome as Outcome,
  type Standing,
  type SubscribeResponse,
} from "../../../src/protocols/proto/dormouse/v1/hub_pb.ts";
import { argumentsIn, as, clientAt, list, SERVICE, type ProtocolName } from "./clients.ts";

export class GrpcMember extends StreamMember {
  readonly #protocol: ProtocolName;
  /** Events heard. */
  heard = 0;

  constructor(place: Place, rooms: readonly string[], protocol: ProtocolName) {
    super(place, rooms);
    this.#protocol = protocol;
  }

  protected override async listen(signal: AbortSignal): Promise<void> {
    const { endpoint, hub } = this.crowd;
    const topics = this.rooms.map((topic) => ({
      topic,
      position: this.record(topic).ledger.position(this.name, topic) ?? "",
    }));
    const options = { ...(await as(endpoint, this.name)), signal };
    const client = clientAt(this.proxy.url, this.#protocol);
    for await (const said of client.subscribe({ hub, topics, presence: true }, options)) {
      // What comes to a caller that is killed is not heard.
      if (signal.aborted) return;
      this.#take(said);
    }
  }

  #take({ kind }: SubscribeResponse): void {
    if (kind.case === "standing") this.#stands(kind.value);
    if (kind.case === "event") this.#hear(kind.value, kind.value.target, argumentsIn(kind.value));
    if (kind.case === "presence") this.#hear(kind.value, "presence", kind.value.change);
  }

  #stands({ topic, outcome, position }: Standing): void {
    this.greeted.add(topic);
    this.record(topic).came(this.name, {
      ...{ room: topic, position, recovered: outcome === Outcome.RECOVERED },
    });
  }

  #hear({ topic, position }: { topic: string; position: string }, name: string, data: unknown) {
    if (!this.rooms.includes(topic)) return;
    this.heard += 1;
    this.record(topic).heard(this.name, heardAt(topic, position, name, data));
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
