// Reads the responses of the REST API: turns snake_case JSON into this package's types, and refusals into errors. Pure.

import { adviceFor } from "../../model/error-advice.ts";
import { HubError } from "../../model/errors.ts";
import { retryAfterOf } from "../../model/retry-after.ts";
import { formatPosition, type Position } from "../../model/topic.ts";
import { refusalError } from "../model/refusal.ts";
import type { HistoryPage } from "../model/client-messages.ts";
import type { PresencePage } from "../model/room-presence.ts";

/** The JSON of a response body; undefined for an empty one. Throws `malformed`. */
export function parseBody(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new HubError(
      "malformed",
      "The answer is not JSON: check that the URL is the endpoint's.",
      { cause },
    );
  }
}

/**
 * The code of a refusal that has none: a response to HEAD has no body, and proxies in front of the endpoint answer in
 * formats of their own.
 */
const CODE_BY_STATUS: ReadonlyMap<number, string> = new Map([
  [401, "unauthorized"],
  [403, "forbidden"],
  [404, "not_found"],
  [408, "timed_out"],
  [413, "too_large"],
  [429, "rate_limited"],
  [502, "unavailable"],
  [503, "unavailable"],
  [504, "timed_out"],
]);

/**
 * The code comes from the first of: the body, the endpoint's header, Azure's header, the status. Azure's error document
 * has no member for advice: it is taken from the table of errors.
 */
export function refusalOf({ status, headers }: Response, body: unknown): HubError {
  const { code: inBody, message } = (body ?? {}) as ErrorBody;
  const fromServer =
    text(inBody) ?? headers.get("x-dormouse-error") ?? headers.get("x-ms-error-code");
  const code =
    fromServer ?? CODE_BY_STATUS.get(status) ?? (status >= 500 ? "internal" : "invalid_request");
  const action = adviceFor(code);
  return refusalError({
    code,
    message: text(message) ?? `The endpoint answered ${status}.`,
    status,
    ...(action !== undefined && { action }),
    ...retryAfterOf({ headers }),
  });
}

interface ErrorBody {
  readonly code?: unknown;
  readonly message?: unknown;
}

/** Undefined unless a non-empty string. Cut to 1,000 characters, since the text ends up in logs. */
const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value.slice(0, 1_000) : undefined;

/** One response for each room, in the order of the request. */
export interface BroadcastResponse {
  readonly responses: readonly {
    readonly result?: Position;
    readonly error?: { readonly code: string; readonly message: string };
  }[];
}

/** Throws the error of the first failed room, with the number of failed rooms in its message. */
export function checkBroadcast(rooms: readonly string[], { responses }: BroadcastResponse): void {
  const failures = rooms.flatMap((room, i) => {
    const error = responses[i]?.error;
    return error ? [{ room, ...error }] : [];
  });
  const [first] = failures;
  if (first === undefined) return;
  const { code, message, room } = first;
  const counts = `${failures.length} of ${rooms.length} rooms were not reached`;
  throw new HubError<string>(code, `${counts}; of ${room}: ${message}`);
}

export interface HistoryResponse extends Position {
  readonly publications: readonly {
    readonly offset: number;
    readonly target: string;
    readonly arguments: readonly unknown[];
    /** Milliseconds since 1970. */
    readonly at: number;
  }[];
}

/** All publications of a response belong to its epoch. */
export const historyOf = ({ epoch, offset, publications }: HistoryResponse): HistoryPage => ({
  messages: publications.map(({ target, arguments: params, at, ...publication }) => ({
    method: target,
    params,
    position: formatPosition({ epoch, offset: publication.offset }),
    at,
  })),
  position: formatPosition({ epoch, offset }),
});

export interface CountsResponse {
  readonly num_clients: number;
  readonly num_users: number;
}

export const countsOf = ({ num_clients, num_users }: CountsResponse) => ({
  users: num_users,
  connections: num_clients,
});

export interface PresenceResponse extends CountsResponse {
  readonly presence: readonly {
    readonly user: string;
    /** Milliseconds since 1970. */
    readonly since: number;
    readonly num_clients: number;
    /** Absent if the user tracks none. */
    readonly state: unknown;
  }[];
  readonly more: boolean;
}

export const presenceOf = ({ presence, more, ...counts }: PresenceResponse): PresencePage => ({
  ...countsOf(counts),
  members: presence.map(({ user, since, num_clients, state }) => ({
    ...{ userId: user, since, state: state ?? null },
    connections: num_clients,
  })),
  more,
});
