// Groups connections by their audiences, for a flush with several: connections in the same audiences share frames.

import type { Connection } from "../connection/connection.ts";

export type Audience = ReadonlySet<Connection>;

/** Connections that are in exactly these audiences. */
export interface RecipientGroup {
  readonly audiences: readonly Audience[];
  readonly connections: Iterable<Connection>;
}

/** A smaller set and one audience, and the connections that are in exactly these. */
interface AudienceSet {
  readonly smaller?: AudienceSet;
  readonly audience?: Audience;
  readonly connections: Set<Connection>;
  /** The sets with one audience more. */
  readonly extensions: Map<Audience, AudienceSet>;
}

const noAudience = (): AudienceSet => ({ connections: new Set(), extensions: new Map() });

/** Walks each audience once: the cost is proportional to memberships, not to pairs of sockets and messages. */
export function groupByAudiences(
  audiences: readonly Audience[],
  individual: ReadonlyMap<Connection, unknown>,
): Iterable<RecipientGroup> {
  const none = noAudience();
  const setOf = new Map<Connection, AudienceSet>();
  for (const audience of audiences)
    for (const connection of audience) {
      if (individual.has(connection)) continue;
      const smaller = setOf.get(connection) ?? none;
      let larger = smaller.extensions.get(audience);
      if (!larger)
        smaller.extensions.set(audience, (larger = { ...noAudience(), smaller, audience }));
      smaller.connections.delete(connection);
      larger.connections.add(connection);
      setOf.set(connection, larger);
    }
  return [...new Set(setOf.values())].map((set) => ({
    audiences: audiencesOf(set),
    connections: set.connections,
  }));
}

function audiencesOf(set: AudienceSet): Audience[] {
  const audiences: Audience[] = [];
  for (let at: AudienceSet | undefined = set; at?.audience; at = at.smaller)
    audiences.push(at.audience);
  return audiences;
}
