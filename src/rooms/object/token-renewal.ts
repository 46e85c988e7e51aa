// What a fresh token changes for a connection of this object: its user, and the rooms it is in because a token named
// them or its client asked. Who may be where is not decided here.

import { HubError } from "../../model/errors.ts";
import { formatTopic, parseTopic, type Topic } from "../../model/topic.ts";
import type { User } from "../../model/user.ts";
import { checkFits } from "../connection/attachment.ts";
import { save, type Connection } from "../connection/connection.ts";
import { linked, retry } from "./link-wait.ts";
import type { Parts } from "./object-parts.ts";
import type { Renewal } from "./host.ts";

/** `own` is the room that the object is. */
export function renewal(parts: Parts, own: Topic): Renewal {
  const { agenda, connections, follows, outbox } = parts;
  const wishesOf = (connection: Connection): string[] =>
    [...follows.causesOf(connection)].flatMap(([room, cause]) => (cause === "hub" ? [] : [room]));
  return {
    wishesOf,
    renew(connection, user: User) {
      if (!connections.all.has(connection))
        throw new HubError("interrupted", "The connection is gone.");
      if (!connection.socket) checkFits({ ...connection.attached, user });
      save(connection, { user });
      agenda.arm(user.expiresAt);
    },
    // The room need not know before its messages end here.
    expel(connection, room) {
      if (!wishesOf(connection).includes(room)) return false;
      follows.leave(connection, parseTopic(room)).catch(retry(agenda));
      const params = { room, reason: "forbidden" };
      outbox.send(connection, { type: "control", name: "left", params });
      return true;
    },
    async belong(connection, topics) {
      const elsewhere = topics.filter((topic) => formatTopic(topic) !== formatTopic(own));
      const links = elsewhere.map((topic) => follows.belong(connection, topic, "token"));
      await linked(agenda, links);
    },
  };
}
