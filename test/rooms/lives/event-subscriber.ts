// A subscriber by Server-Sent Events of one room or several, resumed by the id of its last event.

import { exports } from "cloudflare:workers";
import { parsePositions } from "../../../src/edge/sse/sse-events.ts";
import { EventStream } from "./event-stream.ts";
import { Follower } from "./follower.ts";
import type { Site } from "./site.ts";
import { Subscriber, type Entry, type Place } from "./subscriber.ts";

export class EventSubscriber extends Subscriber {
  readonly speaks = false;
  readonly repeats = false;
  readonly followers: ReadonlyMap<string, Follower>;
  #lastId: string | undefined;

  constructor(site: Site, place: Place) {
    super(site, place);
    this.followers = new Map(
      place.rooms.map((room) => [room, new Follower(`${this.name} in ${room}`)]),
    );
  }

  /** The worker holds its sockets, and opens others as it likes. */
  override get holder(): undefined {
    return undefined;
  }

  protected async open(): Promise<Entry> {
    const { site, rooms } = this;
    const [first, ...others] = rooms;
    const access = await site.token(this.user);
    const query = new URLSearchParams({ access_token: access, rooms: others.join() });
    const path = `/hubs/${site.hub}/groups/${first.slice("group:".length)}?${query}`;
    const lastId = this.#lastId;
    const response = await exports.default.fetch(`https://edge.example${path}`, {
      headers: { accept: "text/event-stream", ...(lastId && { "last-event-id": lastId }) },
    });
    if (response.status !== 200 || response.headers.has("x-dormouse-error")) {
      await response.body?.cancel();
      throw new Error(`Refused: ${response.status}`);
    }
    const entered = Promise.withResolvers<void>();
    const begun = new Set<string>();
    const line = new EventStream(response.body!, ({ event, id, data }) => {
      if (event === undefined) return;
      if (event === "end") return line.close();
      this.#take(event, id, JSON.parse(data));
      if (["connected", "recovered", "reset"].includes(event)) begun.add(JSON.parse(data).room);
      if (begun.size === rooms.length) entered.resolve();
    });
    return { line, entered: entered.promise };
  }

  #positions(id: string | undefined): ReadonlyMap<string, string> {
    if (id === undefined) return new Map();
    return id.includes("=") ? parsePositions(id) : new Map([[this.rooms[0], id]]);
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- what each event has
  #take(event: string, id: string | undefined, data: any): void {
    const before = this.#positions(this.#lastId);
    if (id === undefined) return this.followers.get(data.room)?.reset();
    this.#lastId = id;
    const after = this.#positions(id);
    if (["connected", "recovered", "reset"].includes(event)) {
      const { room, position, recovered, connectionId } = data;
      const about = { id: connectionId, earlier: undefined, position, recovered };
      return this.followers.get(room)!.begin(about, before.get(room));
    }
    for (const [room, position] of after)
      if (position !== before.get(room))
        this.followers.get(room)!.hear(position, event === "said" ? data[0] : undefined);
  }
}
