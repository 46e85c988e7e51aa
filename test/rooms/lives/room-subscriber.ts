// A subscriber by the socket of one room: JSON-RPC, resumed by `since`.

import { upgrade, type Frame } from "../client.ts";
import { Calls } from "./calls.ts";
import { Follower } from "./follower.ts";
import type { Site } from "./site.ts";
import { Subscriber, Wire, type Entry, type Place, type Said } from "./subscriber.ts";

export class RoomSubscriber extends Subscriber {
  readonly speaks = true;
  readonly repeats = true;
  readonly followers: ReadonlyMap<string, Follower>;
  readonly #follower: Follower;
  #calls: Calls | undefined;

  constructor(site: Site, place: Place) {
    super(site, place);
    const [room] = place.rooms;
    this.#follower = new Follower(`${this.name} in ${room}`);
    this.followers = new Map([[room, this.#follower]]);
  }

  protected async open(): Promise<Entry> {
    const { site, rooms } = this;
    const { since } = this.#follower;
    const earlier = since !== undefined && site.dice.below(2) === 0 ? this.id : undefined;
    const query = new URLSearchParams({ access_token: await site.token(this.user) });
    if (since !== undefined) query.set("since", since);
    if (earlier !== undefined) query.set("connection", earlier);
    const { status, webSocket } = await upgrade(`/parties/${site.hub}/${rooms[0]}?${query}`);
    if (!webSocket) throw new Error(`Refused: ${status}`);
    const hello = Promise.withResolvers<void>();
    const line = new Wire(webSocket, (data) => {
      for (const frame of [JSON.parse(data)].flat() as Frame[])
        if (frame.method === "$/connected") {
          this.id = frame.params.connectionId as string;
          this.#follower.begin({ id: this.id, earlier, ...frame.params }, since);
          hello.resolve();
        } else this.#take(frame);
    });
    this.#calls = new Calls(line);
    return { line, entered: hello.promise };
  }

  #take(frame: Frame): void {
    const { method, params, room, position } = frame;
    if (method === undefined) return this.#calls?.answer(frame);
    if (room !== this.rooms[0] || position === undefined) return;
    this.#follower.hear(position, method === "said" ? params[0] : undefined);
  }

  override async say(said: Said): Promise<boolean> {
    return (await this.#calls?.say(said))?.error === undefined;
  }
}
