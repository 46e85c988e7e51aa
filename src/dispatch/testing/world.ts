// Several callers of one hub in memory, with rooms, their history and presence. Calls, rooms, presence and the wire are
// the code of the server and of the client; sockets, Durable Objects, tokens and limits of connections are left out.

import { HubError } from "../../model/errors.ts";
import { ALL, formatTopic, parsePosition, parseTopic, type Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { jsonRpc } from "../../protocols/json-rpc-codec.ts";
import { Publications } from "../../rooms/delivery/fan-out.ts";
import { REGULAR_CLOSE, type Connection } from "../../rooms/connection/connection.ts";
import { framesOf } from "../../rooms/object/begin-json-rpc.ts";
import { missedSince } from "../../rooms/room/enter-room.ts";
import { clientsOf, messengerOf } from "../context/call-context.ts";
import type { Messenger } from "../context/messenger.ts";
import { roomView } from "../context/room-views.ts";
import type { AnyHub } from "../define/hub-definition.ts";
import { servedHub, type ServedHub } from "../define/hub-tables.ts";
import { callAt, mayEnter, mayReadHistory, mayUse, rulesAt } from "../define/policies.ts";
import { policyRuntime } from "../define/runtime.ts";
import { dispatcher } from "../dispatcher.ts";
import { userOf } from "./default-user.ts";
import { LOST, WorldCaller } from "./world-caller.ts";
import { WorldClock } from "./world-clock.ts";
import { worldHost } from "./world-host.ts";
import { WorldServer } from "./world-server.ts";
import type { Caller, Joining, World, WorldSetting } from "./world-types.ts";

/**
 * A hub with its rooms in memory, for several callers.
 *
 * @example
 * const chat = world(ChatHub);
 * const [alice, bob] = [await chat.connect({ user: "alice" }), await chat.connect({ user: "bob" })];
 * await bob.join("group:lobby");
 * await alice.invoke.sendToRoom("lobby", "hello");
 * expect(bob.received).toMatchObject([{ method: "receiveMessage", args: ["alice", "hello"] }]);
 */
export const world = <H extends AnyHub>(hub: H, setting: WorldSetting = {}): World<H> =>
  new MemoryWorld(hub, setting) as unknown as World<H>;

const DOMAIN_TENANT = "default";

class MemoryWorld implements World<AnyHub> {
  readonly #served: ServedHub;
  readonly #clock: WorldClock;
  readonly #server: WorldServer;
  #connectionCount = 0;

  constructor(hub: AnyHub, { env = {}, filters = [], now = Date.now() }: WorldSetting) {
    this.#served = { ...servedHub(hub, filters), isTested: true };
    const hubs = new Map([[hub.name, this.#served]]);
    const domain = { tenant: DOMAIN_TENANT, hub: hub.name };
    this.#clock = new WorldClock(now);
    this.#server = new WorldServer({
      ...{ served: this.#served, clock: this.#clock },
      receiver: dispatcher({ hubs, verify: refuseToken }),
      hostAt: (server, topic) => worldHost(server, topic, { domain, env }),
    });
  }

  async connect({ user, room, since, handlers }: Joining<AnyHub> = {}): Promise<Caller<AnyHub>> {
    const client = userOf(typeof user === "string" ? { id: user } : user);
    const topic = room === undefined ? ALL : parseTopic(room);
    await this.#admit(client, topic);
    const caller = new WorldCaller(handlers, this.#server.settings.limits.messageBytes);
    const connection = this.#accept(caller, client, topic);
    if (topic.kind === "all") this.#greet(connection);
    else await this.#enter(connection, topic, since);
    caller.open({
      connectionId: connection.id,
      post: (frame) => this.#server.receive(connection, frame),
      end: (code) => this.#end(connection, code),
      refresh: (changes) => this.#refresh(connection, changes),
    });
    await this.#server.open(connection);
    await this.settled();
    return caller;
  }

  /** Throws `forbidden`, and errors of a policy. */
  async #admit(user: User, room: Topic): Promise<void> {
    const isAdmitted =
      room.kind === "all"
        ? mayUse(this.#served, { user, ...this.#policyRuntime() })
        : mayEnter(...this.#policyInput(user, room));
    if (await isAdmitted) return;
    throw new HubError(
      "forbidden",
      `This ${room.kind === "all" ? "hub" : "room"} is not for this user.`,
    );
  }

  #policyInput(user: User, room: Topic) {
    const subject = { user, room, ...this.#policyRuntime() };
    return [callAt(this.#served, subject), rulesAt(this.#served, room)] as const;
  }

  #policyRuntime() {
    return policyRuntime(this.#server.host(ALL), this.#served);
  }

  #accept(caller: WorldCaller, user: User, topic: Topic): Connection {
    const now = this.now;
    const place =
      topic.kind === "all" ? { request: { query: {}, headers: {} } } : { room: formatTopic(topic) };
    const attached = {
      ...{ id: `c${++this.#connectionCount}`, protocol: jsonRpc.name, user, openCalls: [] },
      ...{ connectedAt: now, heardAt: now },
      ...place,
    };
    return this.#server.accept(attached, caller);
  }

  /** The first frame of a connection to the whole hub. */
  #greet(connection: Connection): void {
    const { pingSeconds } = this.#server.settings;
    const params = { connectionId: connection.id, userId: connection.user.id, pingSeconds };
    const hello = connection.protocol.encode({ type: "control", name: "connected", params });
    this.#server.send(connection, [hello]);
  }

  /** The first frames of a connection to a room, with the replay. */
  async #enter(connection: Connection, topic: Topic, since: string | undefined): Promise<void> {
    const position = since === undefined ? undefined : parsePosition(since);
    const mayReplay =
      position && (await mayReadHistory(...this.#policyInput(connection.user, topic)));
    this.#server.outbox.flush();
    const { log, settings, name } = this.#server.room(topic);
    const missed = missedSince({ log, settings }, mayReplay ? position : undefined, this.now);
    const { presence } = this.#server.enterOwn(connection, topic);
    const entered = { room: name, present: presence.view({}), settings, missed };
    this.#server.send(connection, framesOf(connection, entered));
  }

  async #end(connection: Connection, code: number): Promise<void> {
    connection.mayReturn = !REGULAR_CLOSE.has(code);
    const error = code === LOST ? new Error("The connection was lost.") : undefined;
    this.#server.ended(connection, error);
    await this.settled();
  }

  async #refresh(connection: Connection, changes: Partial<User>) {
    const { receiver } = this.#server.options;
    const fresh = { ...connection.user, ...changes };
    const host = this.#server.hostOf(connection);
    const { dropped } = await receiver.refreshed(host, connection, fresh);
    await this.settled();
    return { dropped };
  }

  get clients() {
    return clientsOf<never>(this.#serviceMessenger());
  }

  /** A messenger for services: its calls resolve when messages are delivered. */
  #serviceMessenger(): Messenger {
    const host = this.#server.host(ALL);
    const messenger = messengerOf({ host, served: this.#served }, new Publications());
    return {
      ...messenger,
      publish: async (topic, call) => {
        await messenger.publish(topic, call);
        await this.#server.outbox.flushed();
      },
    };
  }

  room(topic: string) {
    return roomView(this.#server.host(ALL).rooms, parseTopic(topic));
  }

  get now(): number {
    return this.#clock.now();
  }

  async advance(ms: number): Promise<void> {
    await this.#clock.advance(ms, () => this.settled());
  }

  settled(): Promise<void> {
    return this.#server.settled();
  }
}

/** Refuses `$/refresh`, because a world has users without tokens. */
const refuseToken = (): Promise<User> =>
  Promise.reject(new HubError("invalid_request", "A world has no tokens: use refresh(user)."));
