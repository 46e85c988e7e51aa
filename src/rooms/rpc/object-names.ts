// Where things live: the names of rooms' and relays' objects, and the ids of the connections they hold. The tenant
// always comes from a token or from the object itself, never from a name off the wire.

import { HubError } from "../../model/errors.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import { hashOf, parseRelayName } from "./relay-levels.ts";

/** A hub of a tenant: what rooms and relays that may hear of each other have in common. */
export interface Domain {
  readonly tenant: string;
  readonly hub: string;
}

export interface RoomAddress extends Domain {
  readonly topic: Topic;
}

/** A relay, by its name among those of its hub (relay-names.ts). */
export interface RelayAddress extends Domain {
  readonly relay: string;
}

/** An object that holds connections. */
export type ObjectAddress = RoomAddress | RelayAddress;

const RELAY = "relay";

/** Only what would end a part is escaped: percent-encoding whole names could pass the platform's 1,024 bytes. */
export const escape = (part: string): string => part.replaceAll("%", "%25").replaceAll("/", "%2F");
const unescape = (part: string): string => part.replaceAll("%2F", "/").replaceAll("%25", "%");

/** `tenant/hub/kind/name`, each part escaped and then joined: no two addresses share a name. */
export function objectName(home: ObjectAddress): string {
  const { tenant, hub } = home;
  const place = "relay" in home ? [RELAY, home.relay] : [home.topic.kind, home.topic.name];
  return [tenant, hub, ...place].map(escape).join("/");
}

export function parseObjectName(text: string): ObjectAddress {
  const [tenant = "", hub = "", kind = "", name = ""] = text.split("/").map(unescape);
  if (kind === RELAY) return { tenant, hub, relay: name };
  return { tenant, hub, topic: parseTopic(kind === "all" ? kind : `${kind}:${name}`) };
}

/** The hub of a room's or relay's object. */
export const hubOf = (name: string): string => unescape(name.split("/")[1] ?? "");

/** A user of a tenant, in all its hubs. */
export interface AccountAddress {
  readonly tenant: string;
  readonly user: string;
}

/** Objects that hold the accounts of a tenant: each answers some thousand connects a second. */
const ACCOUNT_OBJECTS = 64;

/** The object that holds a user's account. */
export const accountName = ({ tenant, user }: AccountAddress): string =>
  `${escape(tenant)}/${hashOf(user) % ACCOUNT_OBJECTS}`;

/** Whether an object's name is that of a relay. */
export const isRelayName = (name: string): boolean => name.split("/")[2] === RELAY;

/** 128 bits as 22 characters of a URL. */
export const randomId = (random = crypto.getRandomValues(new Uint8Array(16))): string =>
  random.toBase64({ alphabet: "base64url", omitPadding: true });

/** Ids are public: 128 random bits, then the object that holds the socket, so that it is found without a lookup. */
export const connectionId = (home: ObjectAddress, random = randomId()): string =>
  `${random}@${"relay" in home ? `${RELAY}:${home.relay}` : formatTopic(home.topic)}`;

/** What stands before the `@` may be longer where a relay's secret is part of it (seats.ts). */
const CONNECTION_ID = /^[A-Za-z0-9_-]{22,100}@(?<home>.+)$/s;
const RELAY_ID = /^relay:(?<relay>.{1,300})$/s;

/** The object a connection is attached to. Throws `connection_not_found` for what is no connection id. */
export function holderOf(connection: string, { tenant, hub }: Domain): ObjectAddress {
  const home = CONNECTION_ID.exec(connection)?.groups?.["home"];
  const relay = RELAY_ID.exec(home ?? "")?.groups?.["relay"];
  try {
    const parsed = relay === undefined ? undefined : parseRelayName(relay);
    if (parsed?.room !== undefined) parseTopic(parsed.room);
    if (relay !== undefined && parsed) return { tenant, hub, relay };
    if (home) return { tenant, hub, topic: parseTopic(home) };
  } catch {
    // An ill-formed home is as good as none; the caller learns no more than that.
  }
  throw new HubError("connection_not_found", "There is no connection with that id.");
}
