// What rooms and relays of the limits have in common.

import { DurableObject } from "cloudflare:workers";
import type { Relay } from "./limits-relay.ts";
import type { Room } from "./limits.ts";

export interface LimitsEnv {
  readonly ROOMS: DurableObjectNamespace<Room>;
  readonly RELAYS: DurableObjectNamespace<Relay>;
  readonly ACCOUNTS: DurableObjectNamespace<Account>;
  readonly JWT_SECRET: string;
  readonly JWT_ISSUER: string;
  readonly ACCESS_KEYS: string;
}

/** A user's account: which objects hold a connection. */
export class Account extends DurableObject<LimitsEnv> {
  admit(user: string, object: string): boolean {
    const key = `object/${user}/${object}`;
    if (this.ctx.storage.kv.get(key) === undefined) this.ctx.storage.kv.put(key, 1);
    return true;
  }
}

const hashOf = (text: string): number =>
  [...text].reduce((hash, letter) => (hash * 31 + letter.codePointAt(0)!) >>> 0, 7);

/** As many objects as ours has for the accounts of a tenant. */
export const accountOf = ({ ACCOUNTS }: LimitsEnv, user: string) =>
  ACCOUNTS.getByName(String(hashOf(user) % 64));

/** The header in which the worker hands the user over. */
export const USER = "x-user";

/** Names of rooms that keep what is published; others have `unlogged/` there. */
export const LOGGED = "logged/";

interface Attached {
  readonly user: string;
  /** Sent at once. */
  readonly hello?: string;
}

export function upgraded(ctx: DurableObjectState, { user, hello }: Attached): Response {
  const { 0: client, 1: server } = new WebSocketPair();
  ctx.acceptWebSocket(server);
  server.serializeAttachment({ user });
  if (hello !== undefined) server.send(hello);
  return new Response(null, { status: 101, webSocket: client });
}
