// Where objects are: their jurisdiction, and a hint for the region of their creation. Both depend on an object's name
// only, and all namespaces that lead to objects are made here, so that every caller finds an object at the same place.

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

/** A value for all, or a pure function, which returns the same for the same names, at any time, in every isolate. */
type Chosen<Of, T> = T | ((of: Of) => T | undefined);

/** Where objects are. Decide it before there is data: no object ever moves (docs/worker.md#where-objects-are). */
export interface PlaceOptions {
  /**
   * Where objects run and store data, by tenant, or by tenant and hub: rooms, relays and the index of a hub are in one
   * jurisdiction. It is called without `hub` for the tenant's accounts, which have ids of users and names of rooms of
   * all hubs. It is a part of an object's identity: in another jurisdiction the object is a different, empty one.
   */
  readonly jurisdiction?: Chosen<Omit<Placed, "room">, Jurisdiction>;
  /**
   * The region near which an object is created: rooms, and the tenant's accounts (without `hub` and `room`). Relays are
   * near their clients. Not guaranteed, and ignored if it is outside of the jurisdiction.
   */
  readonly locationHint?: Chosen<Placed, LocationHint>;
}

/** Places the objects of one worker, and checks that an object is at its place. */
export class Place {
  readonly #options: PlaceOptions;
  /** By environment, of which an isolate has one. */
  readonly #namespaces = new WeakMap<object, ObjectNamespaces>();
  #isTold = false;

  constructor(options: PlaceOptions) {
    this.#options = options;
  }

  /** Throws `misconfigured` if the function throws, or returns an invalid value. */
  jurisdictionOf({ tenant, hub }: Placed): Jurisdiction | undefined {
    const { jurisdiction } = this.#options;
    return chosen(jurisdiction, { tenant, ...(hub !== undefined && { hub }) }, checkedJurisdiction);
  }

  /** A hint inside of the jurisdiction, or undefined. Throws like `jurisdictionOf`. */
  hintOf(placed: Placed): LocationHint | undefined {
    return this.within(placed, chosen(this.#options.locationHint, placed, checkedHint));
  }

  /** The hint, or undefined if it is outside of the jurisdiction. */
  within<H extends LocationHint>(placed: Placed, hint: H | undefined): H | undefined {
    return liesWithin(this.jurisdictionOf(placed), hint) ? hint : undefined;
  }

  /**
   * Throws a `TypeError` for an invalid value, and for a function that returns two values for the same arguments.
   * Errors of a function are ignored here, because it may not know this tenant.
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

  /** The hint for an object. Callers of relays pass their own. */
  #firstHint(placed: Placed): LocationHint | undefined {
    const isRelay = placed.hub !== undefined && placed.room === undefined;
    return isRelay ? undefined : this.hintOf(placed);
  }

  /**
   * The namespace of a jurisdiction. workerd refuses jurisdictions: on a developer's machine all objects are in one
   * place. Elsewhere this throws, because nothing may be stored outside of its jurisdiction.
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

  /** Whether an object is at its place. Called when it starts, before it stores anything. */
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
