// Members of the mixed crowd that resume by position: partysocket in JSON-RPC, and readers of events, as EventSource is
// one, over `fetch`.

import { PartySocket } from "partysocket";
import { WebSocket } from "ws";
import { Conversation, eventually, type Frame } from "./client.ts";
import { Member, type HowCut, type Place } from "./mixed-crowd.ts";
import { parsed } from "./mixed-record.ts";
import type { Heard } from "../support/ledger.ts";

/** A message as the ledger knows it, from whatever brought it. */
export function heardAt(room: string, position: string, name: string, data: unknown): Heard {
  const stamp = name === "said" ? parsed(String((data as unknown[])[0])).stamp : undefined;
  const text = JSON.stringify([name.replace("$/", ""), data]);
  return { room, position, text, ...(stamp !== undefined && { stamp }) };
}

/** A plain partysocket in one room. */
export class PartyMember extends Member {
  readonly room: string;
  override readonly rooms: readonly string[];
  readonly #party: PartySocket;
  readonly #talk: Conversation;
  #hellos = 0;
  #cutAt = 0;
  #said: Promise<void> = Promise.resolve();

  constructor(place: Place, room: string, listens = true) {
    super(place);
    this.room = room;
    this.rooms = listens ? [room] : [];
    this.#party = this.#build();
    this.#talk = new Conversation(this.#party, (frame) => this.#hear(frame));
    this.#party.addEventListener("message", ({ data }) => this.#talk.take(String(data)));
    this.#party.addEventListener("close", () => this.#talk.lost());
  }

  #build(): PartySocket {
    const { crowd, name, proxy, room } = this;
    const since = () => this.record(room).ledger.position(name, room);
    return new PartySocket({
      ...{ host: `127.0.0.1:${proxy.port}`, party: crowd.hub, room, WebSocket },
      query: async () => ({ access_token: await crowd.endpoint.token(name), since: since() }),
      ...{ startClosed: true, minUptime: 1, minReconnectionDelay: 20, maxReconnectionDelay: 100 },
      // Its own network errors come as a close with 1000.
      shouldReconnectOnClose: () => true,
    });
  }

  #hear({ method = "", params, room = "", position }: Frame): void {
    if (method === "$/connected") {
      this.#hellos += 1;
      if (this.rooms.includes(params.room)) this.record(params.room).came(this.name, params);
    } else if (position !== undefined && this.rooms.includes(room))
      this.record(room).heard(this.name, heardAt(room, position, method, params));
  }

  override async enter(): Promise<void> {
    this.#party.reconnect();
    await this.back();
  }

  override async cut(how: HowCut): Promise<void> {
    this.#cutAt = this.#hellos;
    if (how === "close") this.#party.reconnect();
    else this.proxy.sever(how);
  }

  override async back(): Promise<void> {
    await eventually(async () => this.#hellos > this.#cutAt, `${this.name} is back`);
  }

  /** One after the other: what is repeated would come after what was said later. */
  override say(room: string, text: string): Promise<void> {
    const said = this.#said.then(() => this.#sayOn(room, text));
    this.#said = said.catch(() => {});
    return said;
  }

  async #sayOn(room: string, text: string): Promise<void> {
    const params = [room.slice("group:".length), text];
    const more = { idempotencyKey: parsed(text).stamp + room };
    for (;;) {
      const answer = await this.#talk.call("say", params, more).catch(() => undefined);
      if (answer?.error) throw new Error(answer.error.message);
      if (answer) return;
      await this.back();
    }
  }

  /** The newest of what the room keeps. */
  async history(): Promise<Heard[]> {
    const { messages } = (await this.#talk.result("$/history", { limit: 500 })) as {
      messages: Frame[];
    };
    return messages.map(({ method, params, position }) =>
      heardAt(this.room, position!, method!, params),
    );
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#party.close();
    await super[Symbol.asyncDispose]();
  }
}
