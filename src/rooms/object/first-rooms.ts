// The rooms that a connection joins when it begins.

import { publicError } from "../../model/errors.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import { factsOf, isGuest, type User } from "../../model/user.ts";
import { closeCodeOf } from "../connection/close-socket.ts";
import type { Connection } from "../connection/connection.ts";
import { belong } from "../links/state-joins.ts";
import type { AdmittedRooms } from "../rpc/account-rpc.ts";
import { topicsOf } from "./admission-cache.ts";
import { waitForLinks } from "./link-wait.ts";
import { reachesUsers, type ObjectParts } from "./object-parts.ts";
import type { StartedObject } from "./object-start.ts";

type Entered = StartedObject<ObjectParts>;

/** Joins the rooms that the token and services name. Those that fail or are slow are joined later, by alarm. */
export async function joinFirstRooms(entered: Entered, connection: Connection): Promise<void> {
  const { groups, usesRoom } = await belongingsOf(entered, connection);
  const { parts, host } = entered;
  const { agenda, followed, settings } = parts;
  // The user's own room is followed also without use if missed messages can be replayed, or if it has a state.
  const keeps = settings.rememberGroups > 0 || settings.stateKind === "user";
  const isFollowed = usesRoom === true || keeps;
  const ownRoom = isFollowed && reachesUsers(parts);
  const topics = firstRooms(connection.user, { own: host.room, groups, ownRoom });
  const links = topics.map((topic) => belong(parts, connection, { topic, cause: "token" }));
  const all = settings.reachAll || settings.online ? followed.joinAll(connection) : undefined;
  await waitForLinks(agenda, all ? [...links, all] : links);
}

/** The account's answer; nothing if the connection is closed, because it is no longer admitted. */
async function belongingsOf(
  { admissions, parts }: Entered,
  connection: Connection,
): Promise<AdmittedRooms> {
  try {
    return await admissions.belongingsOf(factsOf(connection.user));
  } catch (error) {
    const { code, message } = publicError(error);
    const words = code === "internal" ? undefined : message;
    parts.connections.close(connection, closeCodeOf(code), words);
    return { groups: [] };
  }
}

interface FirstRooms {
  /** The room of the connection's object. */
  readonly own: Topic;
  /** Groups that services have put the user into. */
  readonly groups: readonly string[];
  /** Whether the connection joins its user's own room. */
  readonly ownRoom: boolean;
}

/**
 * The first rooms of a connection, without the object's own and the hub's `all`: rooms of the token, groups by
 * services, and the user's own room.
 */
function firstRooms(user: User, { own, groups, ownRoom }: FirstRooms): Topic[] {
  const topics: Topic[] = [...new Set([...user.channels, ...topicsOf(groups)])].map(parseTopic);
  if (ownRoom && !isGuest(user)) topics.push({ kind: "user", name: user.id });
  return topics.filter((topic) => formatTopic(topic) !== formatTopic(own));
}
