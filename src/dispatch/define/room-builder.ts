// The builder of hubs whose rooms have state: `.state(kind, options).internal({ … }).actions({ … }).hooks({ … })`, and
// `.methods({ … })` at the end.

import type {
  ActionOf,
  AnyAction,
  Immediate,
  InternalOf,
  StateDeclaration,
} from "./action-definition.ts";
import { checkMembers } from "./check-members.ts";
import type { Filter } from "./filters.ts";
import type { Hub, HubMember } from "./hub-members.ts";
import type { OneResult } from "./one-result.ts";
import type { RoomTypes } from "./state-options.ts";
import type { StatefulHooks, WithState } from "./stateful-room.ts";

type WithInternal<R extends RoomTypes, M> = Omit<R, "internal"> & {
  readonly client: R["client"];
  readonly kind: R["kind"];
  readonly state: R["state"];
  readonly view: R["view"];
  readonly internal: R["internal"] & M;
};

/** A hub with rooms that have state. It is complete, and may get further actions and methods. */
export type RoomBuilder<R extends RoomTypes, A, S = unknown> = Hub<R["client"], {}, S, R, A> &
  RoomSteps<R, A, S>;

interface RoomSteps<R extends RoomTypes, A, S> {
  /**
   * Declares actions without a caller, which the schedule and other hub code run. Actions that are declared later can
   * schedule them.
   */
  internal<const M extends Record<string, InternalOf<R>>>(
    members: M & Immediate<M>,
  ): RoomBuilder<WithInternal<R, M>, A, S>;
  /** Declares actions that clients and services run. */
  actions<const M extends Record<string, ActionOf<R>>>(
    members: M & Immediate<M>,
  ): RoomBuilder<R, A & M, S>;
  /**
   * Declares hooks that can use the rooms' states and actions, unlike hooks in the settings. Throws a `TypeError` for
   * one that is declared already.
   */
  hooks(hooks: StatefulHooks<R["client"], R, A>): RoomBuilder<R, A, S>;
  /** Around every method; actions have their policies. */
  use(filter: Filter<R["client"]>): RoomBuilder<R, A, S>;
  /** Declares methods and streams: they run where the caller's connection lives, and may wait. */
  methods<const M extends Record<string, HubMember<WithState<R["client"], R, A>>>>(
    members: M & OneResult<M>,
  ): Hub<R["client"], M, S, R, A>;
}

/** The declared parts of a hub without methods. */
export type StatefulParts = Pick<
  Hub<any, {}, any>,
  "name" | "settings" | "filters" | "presenceState"
> & { readonly stateful: StateDeclaration };

/** Builds plain data; the types are those of `RoomBuilder`. */
export function roomBuilder(parts: StatefulParts): RoomBuilder<any, any, any> {
  const { stateful } = parts;
  const checkTwice = (members: object, known: object) => {
    const twice = Object.keys(members).find((name) => Object.hasOwn(known, name));
    if (twice !== undefined)
      throw new TypeError(`Hub "${parts.name}": "${twice}" is declared twice.`);
  };
  const declared = (kind: "internal" | "actions", members: Readonly<Record<string, AnyAction>>) => {
    checkMembers(parts.name, kind === "actions" ? "action" : kind, members);
    checkTwice(members, stateful[kind]);
    const more = { [kind]: { ...stateful[kind], ...members } };
    return roomBuilder({ ...parts, stateful: { ...stateful, ...more } });
  };
  return {
    ...parts,
    members: {},
    internal: (members: Record<string, AnyAction>) => declared("internal", members),
    actions: (members: Record<string, AnyAction>) => declared("actions", members),
    hooks(hooks: object) {
      checkTwice(hooks, parts.settings);
      return roomBuilder({ ...parts, settings: { ...parts.settings, ...hooks } });
    },
    use: (filter: Filter) => roomBuilder({ ...parts, filters: [...parts.filters, filter] }),
    methods(members: Record<string, HubMember<any>>) {
      checkMembers(parts.name, "method", members);
      return { ...parts, members };
    },
  } as unknown as RoomBuilder<any, any, any>;
}
