// Names of objects (rooms, relays, accounts), their stubs by name, and ids of the connections that they hold. The
// tenant always comes from a token or from the object itself, never from a name that a client sends, so that no name
// leads to an object of another tenant.

import { callProxy } from "../../model/audiences.ts";
import { HubError } from "../../model/errors.ts";
import { hashOf } from "../../model/text-hash.ts";
import {
  canonicalTopic,
  formatTopic,
  parseTopic,
  writtenTopic,
  type Topic,
} from "../../model/topic.ts";
import type { AccountObjectRpc, AccountRpc } from "./account-rpc.ts";
import type { Domain, ObjectAddress } from "./object-address.ts";
import type { ObjectNamespaces } from "./object-env.ts";
import { parseRelayName } from "./relay-levels.ts";
import type { RoomRpc } from "./room-rpc.ts";

export type { Domain, ObjectAddress, RelayAddress, RoomAddress } from "./object-address.ts";

const RELAY = "relay";

/** Escapes only the separator: percent-encoding whole names could exceed the platform's 1,024 bytes. */
export const escape = (part: string): string =>
  /[%/]/.test(part) ? part.replaceAll("%", "%25").replaceAll("/", "%2F") : part;
export const unescape = (part: string): string =>
  part.includes("%") ? part.replaceAll("%2F", "/").replaceAll("%25", "%") : part;

/** `tenant/hub/kind/name`, each part escaped and then joined: no two addresses share a name. */
export function objectName(address: ObjectAddress): string {
  const { tenant, hub } = address;
  const place =
    "relay" in address ? [RELAY, address.relay] : [address.topic.kind, address.topic.name];
  return [tenant, hub, ...place].map(escape).join("/");
}

export function parseObjectName(text: string): ObjectAddress {
  const [tenant = "", hub = "", kind = "", name = ""] = text.split("/").map(unescape);
  if (kind === RELAY) return { tenant, hub, relay: name };
  return { tenant, hub, topic: writtenTopic(kind === "all" ? kind : `${kind}:${name}`) };
}

/** The hub of a room's or relay's object. */
export const hubOf = (name: string): string => unescape(name.split("/")[1] ?? "");

/** A user of a tenant, in all its hubs. */
interface AccountAddress {
  readonly tenant: string;
  readonly user: string;
}

/** The number of objects for the accounts of a tenant: each answers some thousand connects a second. */
const ACCOUNT_OBJECTS = 64;

/** The object that holds a user's account. */
export const accountName = ({ tenant, user }: AccountAddress): string =>
  `${escape(tenant)}/${hashOf(user) % ACCOUNT_OBJECTS}`;

/** The tenant of any object. */
export const tenantOf = (name: string): string => unescape(name.split("/")[0] ?? "");

export const isRelayName = (name: string): boolean => name.split("/")[2] === RELAY;

/** Returns a fresh stub on every call: a stub whose object was reset is broken for good. */
export interface RoomStubs {
  (objectName: string): RoomRpc;
}

/**
 * Rooms and relays by their object names. Platform RPC types would hide their few methods, so each stub is cast here,
 * once; a relay answers the `HolderRpc` part only.
 */
export const roomStubs =
  ({ ROOMS, RELAYS }: Pick<ObjectNamespaces, "ROOMS" | "RELAYS">): RoomStubs =>
  (name) =>
    (isRelayName(name) ? RELAYS : ROOMS).getByName(name) as unknown as RoomRpc;

/** Rooms of one hub and tenant, by topic. A fresh stub for each call. */
export const hubRooms =
  (stubs: RoomStubs, domain: Domain) =>
  (topic: Topic): RoomRpc =>
    stubs(objectName({ ...domain, topic }));

/** A user's account, in the object that it shares with others: its methods name the user first. A fresh stub each time. */
export const accountStub = (
  { ACCOUNTS }: Pick<ObjectNamespaces, "ACCOUNTS">,
  address: AccountAddress,
): AccountRpc =>
  callProxy((method, args) => {
    const object = ACCOUNTS.getByName(accountName(address)) as unknown as AccountObjectRpc;
    const call = method as keyof AccountRpc;
    return (object[call] as (...all: unknown[]) => unknown)(address.user, ...args);
  });

/** 128 bits as 22 characters of a URL. */
export const randomId = (random: Uint8Array = crypto.getRandomValues(new Uint8Array(16))): string =>
  random.toBase64({ alphabet: "base64url", omitPadding: true });

/** Ids are public: 128 random bits, then the object that holds the socket, so that it is found without a lookup. */
export const connectionId = (address: ObjectAddress, random = randomId()): string =>
  `${random}@${"relay" in address ? `${RELAY}:${address.relay}` : formatTopic(address.topic)}`;

/** The part before the `@` is longer in a connection token, which includes a proof (relay/seats.ts). */
const CONNECTION_ID = /^[A-Za-z0-9_-]{22,100}@(?<address>.+)$/s;
const RELAY_ID = /^relay:(?<relay>.{1,300})$/s;

/** The object that holds a connection. Throws `connection_not_found` for a text that is no connection id. */
export function holderOf(connection: string, { tenant, hub }: Domain): ObjectAddress {
  const address = CONNECTION_ID.exec(connection)?.groups?.["address"];
  const relay = RELAY_ID.exec(address ?? "")?.groups?.["relay"];
  try {
    const parsed = relay === undefined ? undefined : parseRelayName(relay);
    const { room = "all" } = parsed ?? {};
    if (relay !== undefined && parsed && canonicalTopic(room) === room)
      return { tenant, hub, relay };
    if (address) return { tenant, hub, topic: parseTopic(address) };
  } catch {
    // A malformed address is answered like an id that does not exist.
  }
  throw noConnection();
}

/** The error for malformed ids and ids of another hub's connections as well: callers learn no more than that. */
export const noConnection = () =>
  new HubError("connection_not_found", "There is no connection with that id.");

/** The object of a name in the hub's index: a topic, or `relay:` and a relay's name. */
export function indexedObject(name: string, { tenant, hub }: Domain): string {
  const relay = RELAY_ID.exec(name)?.groups?.["relay"];
  const place = relay === undefined ? { topic: writtenTopic(name) } : { relay };
  return objectName({ tenant, hub, ...place });
}
