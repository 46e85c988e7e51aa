// A subscriber by the socket of one room: JSON-RPC, resumed by `since`.

import { objectName } from "../../../src/rooms/rpc/object-names.ts";
import { parseTopic } from "../../../src/model/topic.ts";
import { upgrade, type Frame } from "../client.ts";
import { Follower } from "./follower.ts";
import type { Site } from "./site.ts";
import { CODES, Subscriber, Wire, type Here, type Parting } from "./subscriber.ts";

export class RoomSubscriber extends Subscriber {
  readonly followers: ReadonlyMap<string, Follower>;
  readonly #room: string;
  readonly #follower: Follower;
  #wire: Wire | undefined;
  /** Of attempts: a later one, or a parting, ends those before. */
  #attempts = 0;
  #id: string | undefined;

  constructor(site: Site, { room, ...who }: { name: string; user: string; room: string }) {
    super(site, who);
    this.#room = room;
    this.#follower = new Follower(`${this.name} in ${room}`);
    this.followers = new Map([[room, this.#follower]]);
  }

  get here(): Here | undefined {
    if (!this.#wire || this.#wire.isGone) return undefined;
    const { hub, tenant } = this.site;
    const relay = /@relay:(.+)$/.exec(this.#id ?? "")?.[1];
    const place = relay === undefined ? { topic: parseTopic(this.#room) } : { relay };
    return { id: this.#id, holder: objectName({ tenant, hub, ...place }) };
  }

  async enter(): Promise<void> {
    const { site } = this;
    const { since } = this.#follower;
    const attempt = ++this.#attempts;
    const earlier = since !== undefined && site.dice.below(2) === 0 ? this.#id : undefined;
    const query = new URLSearchParams({ access_token: await site.token(this.user) });
    if (since !== undefined) query.set("since", since);
    if (earlier !== undefined) query.set("connection", earlier);
    const response = await upgrade(`/parties/${site.hub}/${this.#room}?${query}`);
    if (!response.webSocket) throw new Error(`Refused: ${response.status}`);
    const hello = Promise.withResolvers<void>();
    const wire = new Wire(response.webSocket, (data) => {
      for (const frame of [JSON.parse(data as string)].flat() as Frame[]) {
        if (frame.method === "$/connected") {
          this.#begin(frame, earlier, since);
          hello.resolve();
        } else this.#take(frame);
      }
    });
    if (attempt !== this.#attempts) wire.close(CODES.away);
    else this.#wire = wire;
    await Promise.race([hello.promise, wire.gone]);
    if (wire.isGone) throw new Error("Lost.");
  }

  #begin({ params }: Frame, earlier: string | undefined, since: string | undefined): void {
    this.#id = params.connectionId;
    this.#follower.begin({ id: params.connectionId, earlier, ...params }, since);
  }

  #take({ method, params, room, position }: Frame): void {
    if (room !== this.#room || position === undefined) return;
    this.#follower.hear(position, method === "said" ? params[0] : undefined);
  }

  async part(how: Parting): Promise<void> {
    const { here } = this;
    this.#attempts += 1;
    this.#wire?.drop();
    if (how === "lost" && here?.id) await this.site.lose(here.holder, here.id);
    this.#wire?.close(CODES[how]);
  }
}
