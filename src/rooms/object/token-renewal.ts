// The effects of a fresh token on a connection of this object: its user, and the rooms that a token named or its client
// joined. The dispatcher decides whether the token admits the connection.

import { HubError } from "../../model/errors.ts";
import { formatTopic, writtenTopic, type Topic } from "../../model/topic.ts";
import { factsOf, type User } from "../../model/user.ts";
import { checkFits } from "../connection/attachment.ts";
import { type Connection, save } from "../connection/connection.ts";
import { topicsOf, type AdmissionCache } from "./admission-cache.ts";
import type { TokenRenewal } from "./host.ts";
import { retry, waitForLinks } from "./link-wait.ts";
import type { ObjectParts } from "./object-parts.ts";
import { belong } from "../links/state-joins.ts";

type Parts = Pick<
  ObjectParts,
  "agenda" | "connections" | "followed" | "outbox" | "own" | "settings"
>;

export class ObjectRenewal implements TokenRenewal {
  readonly #parts: Parts;
  readonly #admissions: AdmissionCache;

  constructor(parts: Parts, admissions: AdmissionCache) {
    this.#parts = parts;
    this.#admissions = admissions;
  }

  async admit(user: User): Promise<readonly string[]> {
    return topicsOf((await this.#admissions.belongingsOf(factsOf(user))).groups);
  }

  /** The user, its claims and limits take effect at once; the alarm is set for the new expiry. */
  renew(connection: Connection, user: User): void {
    const { agenda, connections } = this.#parts;
    if (!connections.all.has(connection))
      throw new HubError("interrupted", "The connection is gone.");
    if (!connection.socket) checkFits({ ...connection.attached, user });
    save(connection, { user });
    agenda.arm(user.expiresAt);
  }

  requestedRooms(connection: Connection): string[] {
    const joined = this.#parts.followed.causesOf(connection);
    const causes = new Map([...(connection.pending ?? []), ...joined]);
    return [...causes].flatMap(([room, cause]) => (cause === "hub" ? [] : [room]));
  }

  /** The connection gets no more messages of the room at once; the report to the room may come later. */
  expel(connection: Connection, room: string): boolean {
    const { agenda, followed, outbox } = this.#parts;
    if (!this.requestedRooms(connection).includes(room)) return false;
    followed.leave(connection, writtenTopic(room)).catch(retry(agenda));
    const params = { room, reason: "forbidden" };
    outbox.send(connection, { type: "control", name: "left", params });
    return true;
  }

  async belong(connection: Connection, topics: readonly Topic[]): Promise<void> {
    const { agenda, own } = this.#parts;
    const here = own?.name ?? "all";
    const elsewhere = topics.filter((topic) => formatTopic(topic) !== here);
    await waitForLinks(
      agenda,
      elsewhere.map((topic) => belong(this.#parts, connection, { topic, cause: "token" })),
    );
  }
}
