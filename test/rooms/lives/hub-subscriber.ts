// A subscriber by the socket of a whole hub: JSON-RPC, in several rooms, each of which it resumes by `$/join`.

import { upgrade, type Frame } from "../client.ts";
import { Calls } from "./calls.ts";
import { Follower } from "./follower.ts";
import type { Site } from "./site.ts";
import { Subscriber, Wire, type Entry, type Place, type Said } from "./subscriber.ts";

export class HubSubscriber extends Subscriber {
  readonly speaks = true;
  readonly repeats = true;
  readonly followers: ReadonlyMap<string, Follower>;
  #calls: Calls | undefined;

  constructor(site: Site, place: Place) {
    super(site, place);
    this.followers = new Map(
      place.rooms.map((room) => [room, new Follower(`${this.name} in ${room}`)]),
    );
  }

  protected async open(): Promise<Entry> {
    const { site, rooms } = this;
    const access = await site.token(this.user);
    const url = `/hubs/${site.hub}/rpc?arrays=1&access_token=${access}`;
    const { status, webSocket } = await upgrade(url);
    if (!webSocket) throw new Error(`Refused: ${status}`);
    const hello = Promise.withResolvers<string>();
    const line = new Wire(webSocket, (data) => {
      for (const frame of [JSON.parse(data)].flat() as Frame[])
        if (frame.method === "$/connected") hello.resolve(frame.params.connectionId);
        else this.#take(frame);
    });
    const calls = (this.#calls = new Calls(line));
    const join = async (id: string, room: string) => {
      const follower = this.followers.get(room)!;
      const { since } = follower;
      follower.join({ id, earlier: undefined }, since);
      const { result, error } = await calls.call("$/join", { room, since });
      if (line.isGone) return;
      if (error) line.close(1001);
      else follower.joined(result);
    };
    const entered = hello.promise.then((id) => {
      this.id = id;
      return Promise.all(rooms.map((room) => join(id, room)));
    });
    return { line, entered };
  }

  #take(frame: Frame): void {
    const { method, params, room, position } = frame;
    if (method === undefined) return this.#calls?.answer(frame);
    if (method === "$/reset") return this.followers.get(params.room)?.reset();
    if (room === undefined || position === undefined) return;
    this.followers.get(room)?.hear(position, method === "said" ? params[0] : undefined);
  }

  override async say(said: Said): Promise<boolean> {
    return (await this.#calls?.say(said))?.error === undefined;
  }
}
