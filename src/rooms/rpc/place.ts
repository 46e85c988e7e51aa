// Where objects are: the jurisdiction that they may not leave, and a hint for the place of their first use. Both are a
// function of an object's name alone, and every namespace that leads to objects is made here: so an object is found in
// one place by every caller.

import { isDevelopment } from "../../model/environment.ts";
import { HubError } from "../../model/errors.ts";
import { logError, logWarning } from "../../model/logger.ts";
import type { NamedObjects, ObjectEnv, ObjectNamespaces } from "./object-env.ts";
import { addressOf, type Placed } from "./placed.ts";
import {
  checkedHint,
  checkedJurisdiction,
  liesWithin,
  type Jurisdiction,
  type LocationHint,
} from "./place-values.ts";

/** The environment of a caller of objects. */
export interface Placing {
  readonly env: ObjectEnv;
  /** Absent: nothing is placed. */
  readonly place?: Place | undefined;
}

/** A value for all, or a pure function: it gives the same for the same names, at any time, in every isolate. */
type Chosen<Of, T> = T | ((of: Of) => T | undefined);

/** Where objects are. Decided before there is data, since no object ever moves: docs/worker.md#where-objects-are. */
export interface PlaceOptions {
  /**
   * Where objects run and store, by tenant, or by tenant and hub: rooms, relays and the index of a hub are in one
   * jurisdiction. Without `hub` it is asked for the tenant's accounts, which have ids of users and names of rooms of
   * all hubs. It is a part of an object's identity: with another one an object is another, empty one.
   */
  readonly jurisdiction?: Chosen<Omit<Placed, "room">, Jurisdiction>;
  /**
   * Near which region an object begins, where nothing of it is there yet: rooms, and the tenant's accounts (without
   * `hub` and `room`). Relays are near their clients. Not guaranteed, and ignored where it is outside the jurisdiction.
   */
  readonly locationHint?: Chosen<Placed, LocationHint>;
}

/** Objects of one worker that are placed, and the check that they are where they belong. */
export class Place {
  readonly #options: PlaceOptions;
  /** By environment, of which an isolate has one. */
  readonly #namespaces = new WeakMap<object, ObjectNamespaces>();
  #isTold = false;

  constructor(options: PlaceOptions) {
    this.#options = options;
  }

  /** Throws `misconfigured` where the function throws, or gives no jurisdiction. */
  jurisdictionOf({ tenant, hub }: Placed): Jurisdiction | undefined {
    const { jurisdiction } = this.#options;
    return chosen(jurisdiction, { tenant, ...(hub !== undefined && { hub }) }, checkedJurisdiction);
  }

  /** A hint inside the jurisdiction, or undefined. Throws as `jurisdictionOf`. */
  hintOf(placed: Placed): LocationHint | undefined {
    return this.within(placed, chosen(this.#options.locationHint, placed, checkedHint));
  }

  /** The hint, or undefined where it is outside the jurisdiction. */
  within<H extends LocationHint>(placed: Placed, hint: H | undefined): H | undefined {
    return liesWithin(this.jurisdictionOf(placed), hint) ? hint : undefined;
  }

  /**
   * Throws a `TypeError` for a value that is none, and for a function that returns two values for the same arguments.
   * What a function throws is left to the real question: it may know no such tenant.
   */
  probe(tenant: string, hubs: readonly string[]): void {
    for (const placed of [{ tenant }, ...hubs.map((hub) => ({ tenant, hub, room: "all" }))])
      for (const name of ["jurisdiction", "locationHint"] as const) this.#probe(name, placed);
  }

  #probe(name: keyof PlaceOptions, placed: Placed): void {
    const value = this.#options[name];
    const { room: _, ...ofHub } = placed;
    const question = name === "jurisdiction" ? ofHub : placed;
    const check = name === "jurisdiction" ? checkedJurisdiction : checkedHint;
    if (typeof value !== "function") return void check(value);
    const [first, second] = [1, 2].map(() => check(answerOf(value as Ask, question)));
    if (first === second) return;
    throw new TypeError(
      `place.${name} of serve() returns different values for the same arguments.`,
    );
  }

  namespaces(env: ObjectEnv): ObjectNamespaces {
    const known = this.#namespaces.get(env);
    if (known) return known;
    const made = {
      ROOMS: this.#placed(env, env.ROOMS),
      RELAYS: this.#placed(env, env.RELAYS),
      ACCOUNTS: this.#placed(env, env.ACCOUNTS),
    };
    this.#namespaces.set(env, made);
    return made;
  }

  #placed(env: object, namespace: DurableObjectNamespace): NamedObjects {
    return {
      getByName: (name, options) => {
        const placed = addressOf(name);
        const locationHint = options?.locationHint ?? this.#firstHint(placed);
        const within = this.#within(env, namespace, this.jurisdictionOf(placed));
        return within.getByName(name, locationHint && { locationHint });
      },
    };
  }

  /** Relays bring their own. */
  #firstHint(placed: Placed): LocationHint | undefined {
    const isRelay = placed.hub !== undefined && placed.room === undefined;
    return isRelay ? undefined : this.hintOf(placed);
  }

  /**
   * workerd has no jurisdictions, and refuses them: on a developer's machine all objects are in the one place that
   * there is. Elsewhere nothing may be stored outside its jurisdiction.
   */
  #within(
    env: object,
    namespace: DurableObjectNamespace,
    jurisdiction: Jurisdiction | undefined,
  ): DurableObjectNamespace {
    if (jurisdiction === undefined) return namespace;
    try {
      return namespace.jurisdiction(jurisdiction);
    } catch (error) {
      if (!isUnknownToEngine(error)) throw error;
      if (!isDevelopment(env)) throw misconfigured(`place of serve(): ${error.message}`);
      if (!this.#isTold) logWarning("jurisdictions_ignored", { jurisdiction });
      this.#isTold = true;
      return namespace;
    }
  }

  /** Whether the object is the one that its name leads to. Called when it starts, before it stores anything. */
  isAt(id: DurableObjectId, env: object, namespace: DurableObjectNamespace): boolean {
    const name = id.name ?? "";
    const within = this.#within(env, namespace, this.jurisdictionOf(addressOf(name)));
    return within.idFromName(name).equals(id);
  }
}

type Ask = (placed: Placed) => unknown;

const answerOf = (ask: Ask, placed: Placed): unknown => {
  try {
    return ask(placed);
  } catch {
    return undefined;
  }
};

/** docs/design/objects.md#pl34 */
const isUnknownToEngine = (error: unknown): error is Error =>
  error instanceof Error && /restrictions are not implemented in workerd/.test(error.message);

/** The namespaces that lead to the objects of a worker. */
export const objectsOf = ({ env, place }: Placing): ObjectNamespaces =>
  place ? place.namespaces(env) : env;

function chosen<Of extends Placed, T>(
  value: Chosen<Of, T> | undefined,
  of: Of,
  checked: (value: unknown) => T | undefined,
): T | undefined {
  if (value === undefined) return undefined;
  try {
    return checked(typeof value === "function" ? (value as (of: Of) => unknown)(of) : value);
  } catch (error) {
    throw misconfigured(`place of serve() fails for ${JSON.stringify(of)}: ${String(error)}`);
  }
}

function misconfigured(problem: string): HubError {
  logError("misconfigured", { problems: [problem] });
  return new HubError("misconfigured", "The server is misconfigured.");
}
