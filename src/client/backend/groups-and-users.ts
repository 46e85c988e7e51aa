// Groups, users and connections: the operations that they have beyond those of a room.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import { roomTopic } from "../../model/topic.ts";
import type { SendRequest } from "./backend-requests.ts";
import { closeConnections, exists, roomAt, withoutResult } from "./backend-rooms.ts";
import type { Ending, ServiceRoom } from "./backend-rooms.ts";
import { segment } from "./backend-urls.ts";

/** A group, with the operations of its room. */
export interface ServiceGroup<H extends AnyHub> extends ServiceRoom<H> {
  /** At least one connection is in the group. */
  isConnected(): Promise<boolean>;
  /** Adds all present connections of a user and, for the next `ttlSeconds`, the connections that the user opens. */
  addUser(userId: string, options?: { readonly ttlSeconds?: number | undefined }): Promise<void>;
  removeUser(userId: string): Promise<void>;
  /** All connections in the group. Pages are requested as the iteration needs them. */
  connections(): AsyncIterable<GroupConnection>;
}

/** A connection in a group. */
export interface GroupConnection {
  readonly connectionId: string;
  readonly userId?: string;
}

/** The tokens to revoke; without `jti` and `issuedBefore` all that were issued until now. */
export interface Revocation {
  /** A single token, by its `jti` claim. */
  readonly jti?: string | undefined;
  /** All tokens issued before this date. */
  readonly issuedBefore?: Date | undefined;
  /** When the last of these tokens expires: after that, the server forgets it. Default for a `jti`: in a year. */
  readonly expireAt?: Date | undefined;
}

/** A user, with the operations of the user's own room. */
export interface ServiceUser<H extends AnyHub> extends Omit<ServiceRoom<H>, "close"> {
  isConnected(): Promise<boolean>;
  /** Closes all connections of the user, who may connect again. */
  disconnect(ending?: Ending): Promise<void>;
  /** Refuses these tokens from now on, in all hubs of the tenant, and closes the connections that use them (4511). */
  revoke(revocation?: Revocation): Promise<void>;
  /** Refuses the user for `seconds`, in all hubs of the tenant, and closes the user's connections. */
  ban(ban: { readonly seconds: number; readonly reason?: string | undefined }): Promise<void>;
  /** Ends a ban. Resolves also if there is none. */
  unban(): Promise<void>;
}

/** One connection of the hub. */
export interface ServiceConnection {
  exists(): Promise<boolean>;
  /** Resolves also if the connection is closed already. */
  disconnect(ending?: Pick<Ending, "reason">): Promise<void>;
}

/** Throws `invalid_name`. */
export function groupAt<H extends AnyHub>(send: SendRequest, group: string): ServiceGroup<H> {
  const { name } = roomTopic("group", group);
  const path = `/groups/${segment(name)}`;
  const memberPath = (userId: string) => `/users/${segment(roomTopic("user", userId).name)}${path}`;
  return {
    ...roomAt<H>(send, "group", name),
    isConnected: () => exists(send({ method: "HEAD", path })),
    addUser: (userId, { ttlSeconds } = {}) =>
      withoutResult(send({ method: "PUT", path: memberPath(userId), query: { ttl: ttlSeconds } })),
    removeUser: (userId) => withoutResult(send({ method: "DELETE", path: memberPath(userId) })),
    connections: () => connectionsOf(send, path),
  };
}

interface ConnectionsPage {
  readonly value: readonly GroupConnection[];
  readonly nextLink?: string;
}

async function* connectionsOf(send: SendRequest, path: string): AsyncGenerator<GroupConnection> {
  let continuationToken: string | undefined;
  do {
    const query = { continuationToken };
    // oxlint-disable-next-line no-await-in-loop -- each page has the continuation token of the next
    const page = await send({ method: "GET", path: `${path}/connections`, query });
    const { value, nextLink } = page as ConnectionsPage;
    yield* value;
    // Only the continuation token of the link is used: following a link to another host would send it our token.
    continuationToken = nextLink && continuationTokenOf(nextLink);
  } while (continuationToken);
}

const continuationTokenOf = (link: string): string | undefined =>
  new URL(link, "http://endpoint").searchParams.get("continuationToken") ?? undefined;

/** Throws `invalid_name`. */
export function userAt<H extends AnyHub>(send: SendRequest, userId: string): ServiceUser<H> {
  const { name } = roomTopic("user", userId);
  const path = `/users/${segment(name)}`;
  const { close: _, ...room } = roomAt<H>(send, "user", name);
  const post = (action: string, body?: object) =>
    withoutResult(
      send({
        ...{ method: "POST", path: `${path}/${action}` },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );
  return {
    ...room,
    isConnected: () => exists(send({ method: "HEAD", path })),
    disconnect: (ending) => closeConnections(send, path, ending),
    revoke: (revocation = {}) => post(":revoke", revocationBody(revocation)),
    ban: ({ seconds, reason }) => post(":ban", { seconds, reason }),
    unban: () => post(":unban"),
  };
}

/** In whole seconds, rounded up: rounding down would leave out a token issued in the same second. */
const revocationBody = ({ jti, issuedBefore, expireAt }: Revocation) => ({
  jti,
  issued_before: secondsOf(issuedBefore),
  expire_at: secondsOf(expireAt),
});

const secondsOf = (date: Date | undefined): number | undefined =>
  date && Math.ceil(date.getTime() / 1000);

/** Throws `invalid_name` for an id that no path can hold. */
export function connectionAt(send: SendRequest, id: string): ServiceConnection {
  const path = `/connections/${segment(id)}`;
  return {
    exists: () => exists(send({ method: "HEAD", path })),
    async disconnect({ reason } = {}) {
      await exists(send({ method: "DELETE", path, query: { reason } }));
    },
  };
}
