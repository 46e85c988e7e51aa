// Groups, users and connections: what each has beside being a room, or being none.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import { roomTopic } from "../../model/topic.ts";
import { segment } from "./backend-urls.ts";
import type { Requests } from "./backend-requests.ts";
import { close, done, found, roomAt, type Ending, type ServiceRoom } from "./backend-rooms.ts";

export interface ServiceGroup<H extends AnyHub> extends ServiceRoom<H> {
  /** Whether anybody is there. */
  isConnected(): Promise<boolean>;
  /** All connections of a user: those of now and, for as long as `ttlSeconds`, those to come. */
  addUser(userId: string, options?: { readonly ttlSeconds?: number }): Promise<void>;
  removeUser(userId: string): Promise<void>;
  /** Who is there, page after page. */
  connections(): AsyncIterable<GroupConnection>;
}

export interface GroupConnection {
  readonly connectionId: string;
  readonly userId?: string;
}

export interface Revocation {
  /** One token, by its `jti`. */
  readonly jti?: string;
  /** All that were issued before. */
  readonly issuedBefore?: Date;
  /** When the last of them ends by itself, and may be forgotten. */
  readonly expireAt?: Date;
}

/** A user, and the room of that name. */
export interface ServiceUser<H extends AnyHub> extends Omit<ServiceRoom<H>, "close"> {
  isConnected(): Promise<boolean>;
  /** Ends all connections of the user. They may come back. */
  disconnect(ending?: Ending): Promise<void>;
  /** Ends the connections of these tokens, which open none any more. */
  revoke(which?: Revocation): Promise<void>;
  ban(ban: { readonly seconds: number; readonly reason?: string }): Promise<void>;
  unban(): Promise<void>;
}

export interface ServiceConnection {
  exists(): Promise<boolean>;
  /** Resolves also where it is gone already. */
  disconnect(ending?: Pick<Ending, "reason">): Promise<void>;
}

export function groupAt<H extends AnyHub>(requests: Requests, group: string): ServiceGroup<H> {
  const { name } = roomTopic("group", group);
  const path = `/groups/${segment(name)}`;
  const member = (userId: string) => `/users/${segment(roomTopic("user", userId).name)}${path}`;
  return {
    ...roomAt<H>(requests, "group", name),
    isConnected: () => found(requests({ method: "HEAD", path })),
    addUser: (userId, { ttlSeconds } = {}) =>
      done(requests({ method: "PUT", path: member(userId), query: { ttl: ttlSeconds } })),
    removeUser: (userId) => done(requests({ method: "DELETE", path: member(userId) })),
    connections: () => connectionsOf(requests, path),
  };
}

interface ConnectionsPage {
  readonly value: readonly GroupConnection[];
  readonly nextLink?: string;
}

async function* connectionsOf(requests: Requests, path: string): AsyncGenerator<GroupConnection> {
  let continuationToken: string | undefined;
  do {
    const query = { continuationToken };
    // oxlint-disable-next-line no-await-in-loop -- a page says where the next begins
    const page = await requests({ method: "GET", path: `${path}/connections`, query });
    const { value, nextLink } = page as ConnectionsPage;
    yield* value;
    // Only where it goes on: our token goes nowhere else, whatever the link says.
    continuationToken = nextLink && tokenOf(nextLink);
  } while (continuationToken);
}

const tokenOf = (link: string): string | undefined =>
  new URL(link, "http://endpoint").searchParams.get("continuationToken") ?? undefined;

export function userAt<H extends AnyHub>(requests: Requests, userId: string): ServiceUser<H> {
  const { name } = roomTopic("user", userId);
  const path = `/users/${segment(name)}`;
  const { close: _, ...room } = roomAt<H>(requests, "user", name);
  const post = (verb: string, body?: object) =>
    requests({
      ...{ method: "POST", path: `${path}/${verb}` },
      ...(body && { body: JSON.stringify(body) }),
    });
  return {
    ...room,
    isConnected: () => found(requests({ method: "HEAD", path })),
    disconnect: (ending) => close(requests, path, ending),
    revoke: (which = {}) => done(post(":revoke", revocationOf(which))),
    ban: ({ seconds, reason }) => done(post(":ban", { seconds, reason })),
    unban: () => done(post(":unban")),
  };
}

/** In seconds, rounded so that no token is forgotten. */
const revocationOf = ({ jti, issuedBefore, expireAt }: Revocation) => ({
  jti,
  issued_before: secondsOf(issuedBefore),
  expire_at: secondsOf(expireAt),
});

const secondsOf = (date: Date | undefined): number | undefined =>
  date && Math.ceil(date.getTime() / 1000);

export function connectionAt(requests: Requests, id: string): ServiceConnection {
  const path = `/connections/${segment(id)}`;
  return {
    exists: () => found(requests({ method: "HEAD", path })),
    async disconnect({ reason } = {}) {
      await found(requests({ method: "DELETE", path, query: { reason } }));
    },
  };
}
