// Where a room lives: the name of its object, and the ids of the connections it holds. The tenant always comes from
// a token or from the object itself, never from a name off the wire.

import { HubError } from "../model/errors.ts";
import { formatTopic, parseTopic, type Topic } from "../model/topic.ts";

export interface Address {
  readonly tenant: string;
  readonly hub: string;
  readonly topic: Topic;
}

/** Only what would end a part is escaped: percent-encoding whole names could pass the platform's 1,024 bytes. */
const escape = (part: string): string => part.replaceAll("%", "%25").replaceAll("/", "%2F");
const unescape = (part: string): string => part.replaceAll("%2F", "/").replaceAll("%25", "%");

/** `tenant/hub/kind/name`, each part escaped and then joined: no two addresses share a name. */
export const objectName = ({ tenant, hub, topic }: Address): string =>
  [tenant, hub, topic.kind, topic.name].map(escape).join("/");

export function parseObjectName(text: string): Address {
  const [tenant = "", hub = "", kind = "", name = ""] = text.split("/").map(unescape);
  return { tenant, hub, topic: parseTopic(kind === "all" ? kind : `${kind}:${name}`) };
}

/** Ids are public: 128 random bits, then the room that holds the socket, so that it is found without a lookup. */
export const connectionId = (home: Topic, random: Uint8Array): string =>
  `${random.toBase64({ alphabet: "base64url", omitPadding: true })}@${formatTopic(home)}`;

const CONNECTION_ID = /^[A-Za-z0-9_-]{22}@(?<home>.+)$/s;

/** The room a connection is attached to. Throws `connection_not_found` for what is no connection id. */
export function homeOf(connection: string): Topic {
  const home = CONNECTION_ID.exec(connection)?.groups?.["home"];
  try {
    if (home) return parseTopic(home);
  } catch {
    // An ill-formed home is as good as none; the caller learns no more than that.
  }
  throw new HubError("connection_not_found", "There is no connection with that id.");
}
