// The choice of a relay for a client. Relays of a hub are arranged in levels, by region: a client asks level by level
// until a relay has room, so that few relays are used while few clients are there. Relays that refused a moment ago
// are skipped.

import { HubError } from "../../model/errors.ts";
import { hashOf, objectName, type Domain } from "../../rooms/rpc/object-names.ts";
import { refusalCodeOf, handOver } from "../../rooms/rpc/arrival.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import type { Refused } from "../../rooms/rpc/fault.ts";
import type { RelayRpc } from "../../rooms/rpc/relay-rpc.ts";
import { hintOf, LEVELS, parseRelayName, relayName } from "../../rooms/rpc/relay-levels.ts";

/**
 * The relay object's methods for the endpoint. Refusals are values: the platform logs every exception of an object.
 * `undefined` always means that the relay is full.
 */
export type Relay = Pick<RelayRpc, "fetch" | "seat" | "post" | "refresh" | "answer" | "hangUp">;

/** The relay's answer. Throws the error with which it refused. */
export function accepted<T>(answer: T | Refused): T {
  const { fault } = answer as Partial<Refused>;
  if (fault) throw new HubError<string>(fault.code, fault.message);
  return answer as T;
}

/** The relays that come into question for a client. */
export interface RelayTarget {
  readonly domain: Domain;
  /** Cloudflare's code for the continent of the client's request. */
  readonly continent: unknown;
  /** Clients with the same key choose the same relay of each level; without a key, the choice is random. */
  readonly key?: string;
  /** Set for the overflow of a room, as a topic: its relays hold connections to this room only. */
  readonly room?: string;
}

/** How long a full relay is skipped. */
const FULL_MS = 2_000;
/** Full relays that are remembered; beyond it all are forgotten, which costs a few refused requests. */
const REMEMBERED = 1_000;

/** Chooses relays, and remembers for one isolate which of them were full. */
export class RelayChoice {
  /** By object name, milliseconds since 1970. */
  readonly #fullUntil = new Map<string, number>();

  /**
   * Runs `attempt` at one relay after another until it gives a result. It gives undefined where the relay is full, and
   * must have changed nothing there. Throws what `attempt` throws, or `relay_full` where all relays are full.
   */
  async find<T>(
    { RELAYS }: ObjectEnv,
    { domain, continent, key, room }: RelayTarget,
    attempt: (relay: Relay) => Promise<T | undefined>,
  ): Promise<T> {
    const hint = hintOf(continent);
    const group = { region: hint ?? "any", ...(room !== undefined && { room }) };
    const hash = key === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : hashOf(key);
    for (let level = 0; level < LEVELS; level++) {
      const name = objectName({ ...domain, relay: relayName(group, level, hash) });
      if ((this.#fullUntil.get(name) ?? 0) > Date.now()) continue;
      const stub = RELAYS.getByName(name, hint && { locationHint: hint });
      // oxlint-disable-next-line no-await-in-loop -- the next level is for clients that this one has no room for
      const result = await attempt(stub as unknown as Relay);
      if (result !== undefined) return result;
      this.#remember(name);
    }
    throw new HubError("relay_full", "All relays are full.");
  }

  #remember(name: string): void {
    if (this.#fullUntil.size > REMEMBERED) this.#fullUntil.clear();
    this.#fullUntil.set(name, Date.now() + FULL_MS);
  }

  /** The answer of the first relay with room: an upgrade, or another refusal than that it is full. */
  enter(env: ObjectEnv, target: RelayTarget, arrival: object): Promise<Response> {
    return this.find(env, target, async (relay) => {
      const response = await handOver(relay, arrival);
      return refusalCodeOf(response) === "relay_full" ? undefined : response;
    });
  }
}

/** Undefined outside of Cloudflare's network; relays of any region come into question then. */
export const continentOf = ({ cf }: Request): unknown =>
  ((cf ?? {}) as { continent?: string }).continent;

const RELAY_OF_TOKEN = /@relay:(?<relay>[^/]{1,200})$/s;

/**
 * The relay that issued a connection token, whose name is part of the token; undefined for malformed tokens. Whether
 * the token is genuine only that relay can tell.
 */
export function relayOfToken(
  { RELAYS }: ObjectEnv,
  domain: Domain,
  token: string,
): Relay | undefined {
  const relay = RELAY_OF_TOKEN.exec(token)?.groups?.["relay"];
  const parsed = parseRelayName(relay ?? "");
  // Relays of a room's overflow issue no tokens.
  if (relay === undefined || !parsed || parsed.room !== undefined) return undefined;
  return RELAYS.getByName(objectName({ ...domain, relay })) as unknown as Relay;
}
