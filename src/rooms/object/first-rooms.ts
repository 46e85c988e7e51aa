// The rooms that a connection is in from its beginning, beside the object's own and the hub's `all`.

import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import { isGuest, type User } from "../../model/user.ts";

interface FirstRooms {
  /** The room of the connection's object. */
  readonly own: Topic;
  /** Groups that services have put the user into, as topics. */
  readonly groups: readonly string[];
  /** Whether messages to the user reach the connection. */
  readonly reachesUsers: boolean;
}

/** Those of the token, of services, and the user's own. */
export function firstRooms(user: User, { own, groups, reachesUsers }: FirstRooms): Topic[] {
  const topics: Topic[] = [...new Set([...user.channels, ...groups])].map(parseTopic);
  if (reachesUsers && !isGuest(user)) topics.push({ kind: "user", name: user.id });
  return topics.filter((topic) => formatTopic(topic) !== formatTopic(own));
}
