// Lookup tables of a hub's actions, and the check of its SQL tables.

import type { AnyAction, StateDeclaration } from "./action-definition.ts";
import type { AnyHub } from "./hub-members.ts";

/** A hub's declaration of its rooms' state. Maps, because names come from clients. */
export interface StateTable {
  readonly declaration: StateDeclaration;
  readonly actions: ReadonlyMap<string, AnyAction>;
  readonly internal: ReadonlyMap<string, AnyAction>;
}

/** Names of the object's own tables. */
const OWN_TABLES =
  /\b(?:log|followers|present|seen|joins|follows|stands|reported|webhooks|room_(?:state|runs|schedule|outgoing|retention))\b/i;
const CREATE = /^\s*CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?["'[`]?(\w+)/i;

/** Throws a `TypeError` if the hub declares a table with the name of one of the object's own. */
export function stateTable({ name, stateful }: AnyHub): StateTable | undefined {
  if (!stateful) return undefined;
  for (const text of stateful.options.tables ?? []) {
    const table = CREATE.exec(text)?.[1];
    if (table !== undefined && OWN_TABLES.test(table))
      throw new TypeError(`Hub "${name}": the table ${table} is one of the room itself.`);
  }
  return {
    declaration: stateful,
    actions: new Map(Object.entries(stateful.actions)),
    internal: new Map(Object.entries(stateful.internal)),
  };
}

/** All names of a hub: members, actions and internal actions share one namespace, without regard to case. */
export const namesIn = ({ members, stateful }: AnyHub): string[] => [
  ...Object.keys(members),
  ...Object.keys(stateful?.actions ?? {}),
  ...Object.keys(stateful?.internal ?? {}),
];
