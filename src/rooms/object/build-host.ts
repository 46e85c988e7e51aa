// The ports of one object (host.ts), built from its parts. Built once for each wake: a hub's code gets the same host
// for every call.

import { ALL, parseTopic, type Topic } from "../../model/topic.ts";
import type { Connection } from "../connection/connection.ts";
import { keepAwake } from "../platform/loop-timing.ts";
import type { AdmissionCache } from "./admission-cache.ts";
import { ObjectConnections } from "./connection-control.ts";
import type { Host, Receiver } from "./host.ts";
import type { ObjectParts } from "./object-parts.ts";
import { RemoteConnections } from "./remote-connections.ts";
import { ObjectRooms } from "./room-access.ts";
import { ObjectRenewal } from "./token-renewal.ts";

interface HostOptions {
  readonly env: object;
  readonly receiver: Receiver;
  readonly admissions: AdmissionCache;
  waitUntil(work: Promise<unknown>): void;
}

/** The ports as this object has them: service commands join rooms for causes that hub code has not. */
export interface ObjectHost extends Host {
  readonly rooms: ObjectRooms;
}

export function buildHost(parts: ObjectParts, options: HostOptions): ObjectHost {
  const { env, receiver, admissions, waitUntil } = options;
  const { activity, address, outbox, own, publishing, settings } = parts;
  const room = own?.topic ?? ALL;
  const roomOf = ({ attached }: Connection): Topic =>
    attached.room === undefined ? room : parseTopic(attached.room);
  const rooms = new ObjectRooms(parts, roomOf);
  const host: ObjectHost = {
    ...{ domain: address, room, settings, env, roomOf },
    ...{ publishing, rooms, replies: outbox, activity },
    clients: new RemoteConnections({
      ...{ parts, rooms },
      ask: (connection, target, params) => receiver.ask(host, connection, target, params),
    }),
    connections: new ObjectConnections(parts, waitUntil),
    renewal: new ObjectRenewal(parts, admissions),
    waitUntil: keepAwake(waitUntil),
  };
  return host;
}
