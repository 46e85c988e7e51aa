// The ports of one object (host.ts), over its parts. One for each wake: hub code gets the same host for every call.
// Ports that most wakes do not use are built on first use.

import { ALL, writtenTopic, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { systemClock } from "../platform/loop-timing.ts";
import type { AdmissionCache } from "./admission-cache.ts";
import { ObjectConnections } from "./connection-control.ts";
import type { Host, Receiver } from "./host.ts";
import type { ObjectParts } from "./object-parts.ts";
import { RemoteConnections } from "./remote-connections.ts";
import { ObjectRooms } from "./room-access.ts";
import { ObjectStates } from "./state-access.ts";
import { ObjectRenewal } from "./token-renewal.ts";

interface HostOptions {
  readonly env: object;
  readonly receiver: Receiver;
  readonly admissions: AdmissionCache;
  waitUntil(work: Promise<unknown>): void;
}

export class ObjectHost implements Host {
  readonly #parts: ObjectParts;
  readonly #options: HostOptions;
  readonly domain;
  readonly room: Topic;
  readonly settings;
  readonly env: object;
  readonly clock = systemClock;
  readonly publishing;
  readonly replies;
  readonly activity;
  readonly inOrder: Host["inOrder"];
  readonly waitUntil: Host["waitUntil"];
  #rooms: ObjectRooms | undefined;
  #states: ObjectStates | undefined;
  #clients: RemoteConnections | undefined;
  #connections: ObjectConnections | undefined;
  #renewal: ObjectRenewal | undefined;

  constructor(parts: ObjectParts, options: HostOptions) {
    this.#parts = parts;
    this.#options = options;
    this.domain = parts.address;
    this.room = parts.own?.topic ?? ALL;
    this.settings = parts.settings;
    this.env = options.env;
    this.publishing = parts.publishing;
    this.replies = parts.outbox;
    this.activity = parts.activity;
    const { undelivered } = parts.followed;
    this.inOrder = undelivered.inOrder.bind(undelivered);
    this.waitUntil = parts.handlers.add.bind(parts.handlers);
  }

  roomOf({ attached }: Connection): Topic {
    return attached.room === undefined ? this.room : writtenTopic(attached.room);
  }

  get rooms(): ObjectRooms {
    return (this.#rooms ??= new ObjectRooms(this.#parts, (connection) => this.roomOf(connection)));
  }

  get states(): ObjectStates {
    return (this.#states ??= new ObjectStates(this.#parts));
  }

  get clients(): RemoteConnections {
    const { receiver } = this.#options;
    return (this.#clients ??= new RemoteConnections({
      ...{ parts: this.#parts, rooms: this.rooms },
      ask: (connection, call) => receiver.ask(this, connection, call),
    }));
  }

  get connections(): ObjectConnections {
    return (this.#connections ??= new ObjectConnections(this.#parts, this.#options.waitUntil));
  }

  get renewal(): ObjectRenewal {
    return (this.#renewal ??= new ObjectRenewal(this.#parts, this.#options.admissions));
  }
}
