// The choice of a relay for a client. A hub's relays are arranged in levels, by region: one relay of each level is
// tried, until one has capacity, so that few relays are used while there are few clients. Relays that were full or did
// not answer a moment ago are skipped.

import { hashOf } from "../../model/text-hash.ts";
import { HubError } from "../../model/errors.ts";
import { objectName, type Domain } from "../../rooms/rpc/object-names.ts";
import { refusalCodeOf, handOver } from "../../rooms/rpc/arrival.ts";
import { objectsOf, type Placing } from "../../rooms/rpc/place.ts";
import { isOverload } from "../answer/overload.ts";
import type { RelayRpc } from "../../rooms/rpc/relay-rpc.ts";
import { hintOf, LEVELS, parseRelayName, relayName } from "../../rooms/rpc/relay-levels.ts";
import { seatTokenParts } from "../../rooms/rpc/seat-token.ts";

/**
 * The relay object's methods for the endpoint. Refusals are values: the platform logs every exception of an object.
 * `undefined` always means that the relay is full.
 */
export type Relay = Pick<RelayRpc, "fetch" | "seat" | "post" | "refresh" | "answer" | "hangUp">;

/** Which relays may hold a client, and how one of them is chosen. */
export interface RelayTarget {
  readonly domain: Domain;
  /** Cloudflare's code for the continent of the client's request. */
  readonly continent: unknown;
  /** Clients with the same key choose the same relay of each level; without a key, the choice is random. */
  readonly key?: string;
  /** Set for the overflow of a room, as a topic: its relays hold connections to this room only. */
  readonly room?: string;
  /** If a relay failed, the attempt must not be repeated at another one: the first may have carried it out. */
  readonly isOnce?: boolean;
}

/** Clients with a key go to other levels only if their relay is full: only it remembers the groups of the client. */
const isOnlyFor = ({ isOnce, key }: RelayTarget): boolean => isOnce === true || key !== undefined;

/** How long a relay is skipped after it was full or did not answer. */
const SKIPPED_MS = 2_000;
/** The most relays that are remembered; beyond it all are forgotten, which costs a few refused requests. */
const REMEMBERED = 1_000;

/** Chooses relays, and remembers for one isolate which of them were full or did not answer. */
export class RelayChoice {
  /** By object name: until when the relay is skipped, in milliseconds since 1970. */
  readonly #skippedUntil = new Map<string, number>();

  /**
   * Runs `attempt` at one relay after another until it returns a result. It must return undefined if the relay is full,
   * and have changed nothing there. A relay that the platform cannot reach is skipped like a full one, if the target
   * allows it. Throws other errors of `attempt`; and if no relay is left, the platform's last error or `relay_full`.
   */
  async find<T>(
    serving: Placing,
    target: RelayTarget,
    attempt: (relay: Relay) => Promise<T | undefined>,
  ): Promise<T> {
    let unreached: unknown;
    for (const [name, relay] of this.#relaysFor(serving, target)) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- the next level is for clients that this one has no room for
        const result = await attempt(relay);
        if (result !== undefined) return result;
      } catch (error) {
        if (isOnlyFor(target) || !isOverload(error as Error)) throw error;
        unreached = error;
      }
      this.#skip(name);
    }
    throw unreached ?? new HubError("relay_full", "All relays are full.");
  }

  /** Yields one relay of each level, with its object name; without relays that are skipped at present. */
  *#relaysFor(serving: Placing, target: RelayTarget): Iterable<readonly [string, Relay]> {
    const { domain, continent, key, room } = target;
    const { RELAYS } = objectsOf(serving);
    const near = hintOf(continent);
    const hint = serving.place ? serving.place.within(domain, near) : near;
    const group = { region: hint ?? "any", ...(room !== undefined && { room }) };
    const keyed = key === undefined ? undefined : hashOf(key);
    for (let level = 0; level < LEVELS; level++) {
      // The first level is one relay.
      const hash = keyed ?? (level === 0 ? 0 : crypto.getRandomValues(new Uint32Array(1))[0]!);
      const name = objectName({ ...domain, relay: relayName(group, level, hash) });
      if ((this.#skippedUntil.get(name) ?? 0) > Date.now()) continue;
      const stub = RELAYS.getByName(name, hint && { locationHint: hint });
      yield [name, stub as unknown as Relay];
    }
  }

  #skip(name: string): void {
    if (this.#skippedUntil.size > REMEMBERED) this.#skippedUntil.clear();
    this.#skippedUntil.set(name, Date.now() + SKIPPED_MS);
  }

  /** The answer of the first relay that is not full: an upgrade, or a refusal for another reason. */
  enter(serving: Placing, target: RelayTarget, arrival: object): Promise<Response> {
    return this.find(serving, target, async (relay) => {
      const response = await handOver(relay, arrival);
      return refusalCodeOf(response) === "relay_full" ? undefined : response;
    });
  }
}

/** Undefined outside of Cloudflare's network; relays of any region may be chosen then. */
export const continentOf = ({ cf }: Request): unknown =>
  ((cf ?? {}) as { continent?: string }).continent;

/**
 * The relay that issued a connection token: its name is part of the token. Undefined for malformed tokens. Only that
 * relay can check whether the token is genuine.
 */
export function relayOfToken(serving: Placing, domain: Domain, token: string): Relay | undefined {
  const { relay } = seatTokenParts(token) ?? {};
  const parsed = parseRelayName(relay ?? "");
  // Relays of a room's overflow issue no tokens.
  if (relay === undefined || !parsed || parsed.room !== undefined) return undefined;
  return objectsOf(serving).RELAYS.getByName(objectName({ ...domain, relay })) as unknown as Relay;
}
