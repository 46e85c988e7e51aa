// Which relay a client goes to: level by level, until one has room. Those that were full a moment ago are not asked.

import { HubError } from "../../model/errors.ts";
import type { TokenFacts } from "../../model/token-rules.ts";
import { objectName, type Domain } from "../../rooms/rpc/object-names.ts";
import { refusalCodeOf, handOver, type HttpCallArrival } from "../../rooms/rpc/arrival.ts";
import type { ObjectEnv } from "../../rooms/rpc/object-env.ts";
import type {
  RefreshOutcome,
  RefreshRefusal,
  HttpCallReply,
  PostOutcome,
  Seat,
} from "../../rooms/rpc/relay-rpc.ts";
import { hashOf, hintOf, LEVELS, parseRelayName, relayName } from "../../rooms/rpc/relay-levels.ts";
import type { Grant, User } from "../../model/user.ts";

/** What the edge asks of relays, beside letting sockets in. */
export interface Relay extends Pick<Fetcher, "fetch"> {
  seat(userId: string, apart: boolean, grant?: Grant): Promise<Seat | undefined>;
  post(token: string, bearer: TokenFacts, body: ArrayBuffer | "end"): Promise<PostOutcome>;
  refresh(token: string, user: User): Promise<RefreshOutcome | RefreshRefusal>;
  answer(arrival: HttpCallArrival, frame: string): Promise<HttpCallReply | undefined>;
  hangUp(random: string): Promise<void>;
}

export interface Wanted {
  readonly domain: Domain;
  /** Of the client's request: Cloudflare's code. */
  readonly continent: unknown;
  /** Clients with one key go the same way; without one, by chance. */
  readonly key?: string;
  /** The room whose overflow is wanted, as a topic. */
  readonly room?: string;
}

/** How long a relay that was full is not asked again by this worker. */
const FULL_MS = 2_000;
const REMEMBERED = 1_000;
const fullUntil = new Map<string, number>();

/** Tries relays until one does not say that it is full (undefined). Throws `relay_full` where all are. */
export async function atRelay<T>(
  { RELAYS }: ObjectEnv,
  { domain, continent, key, room }: Wanted,
  attempt: (relay: Relay) => Promise<T | undefined>,
): Promise<T> {
  const hint = hintOf(continent);
  const group = { region: hint ?? "any", ...(room !== undefined && { room }) };
  const hash = key === undefined ? crypto.getRandomValues(new Uint32Array(1))[0]! : hashOf(key);
  for (let level = 0; level < LEVELS; level++) {
    const name = objectName({ ...domain, relay: relayName(group, level, hash) });
    if ((fullUntil.get(name) ?? 0) > Date.now()) continue;
    const stub = RELAYS.getByName(name, hint && { locationHint: hint });
    // oxlint-disable-next-line no-await-in-loop -- the next level is for those whom this one has no room for
    const result = await attempt(stub as unknown as Relay);
    if (result !== undefined) return result;
    if (fullUntil.size > REMEMBERED) fullUntil.clear();
    fullUntil.set(name, Date.now() + FULL_MS);
  }
  throw new HubError("relay_full", "All relays are full.");
}

/** The first relay that has room lets the client in, or says why not. Throws `relay_full` where all are. */
export const enterAtRelay = (env: ObjectEnv, wanted: Wanted, arrival: object): Promise<Response> =>
  atRelay(env, wanted, async (relay) => {
    const response = await handOver(relay, arrival);
    return refusalCodeOf(response) === "relay_full" ? undefined : response;
  });

const RELAY_OF_TOKEN = /@relay:(?<relay>[^/]{1,200})$/s;

/** The relay that gave out a token; undefined for what is none of ours. */
export function relayOf({ RELAYS }: ObjectEnv, domain: Domain, token: string): Relay | undefined {
  const relay = RELAY_OF_TOKEN.exec(token)?.groups?.["relay"];
  const parsed = parseRelayName(relay ?? "");
  // Relays of a room give out no tokens.
  if (relay === undefined || !parsed || parsed.room !== undefined) return undefined;
  return RELAYS.getByName(objectName({ ...domain, relay })) as unknown as Relay;
}
