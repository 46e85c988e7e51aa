// What the endpoint answers, in our words. Pure.

import { HubError, type ErrorCode } from "../../model/errors.ts";
import { formatPosition, type Position } from "../../model/position.ts";
import type { HistoryPage } from "../connect-options.ts";
import type { PresencePage } from "../scope/room-presence.ts";

/** Throws `malformed`. */
export function answerOf(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new HubError("malformed", "The answer is no JSON: is this the endpoint?", { cause });
  }
}

/** Where a refusal has no code of its own: HEAD has no body, and what stands in between has other words. */
const BY_STATUS: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
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

export function refusalOf({ status, headers }: Response, data: unknown): HubError {
  const { code, message } = (typeof data === "object" && data) as ErrorBody;
  const named = text(code) ?? headers.get("x-dormouse-error") ?? headers.get("x-ms-error-code");
  return new HubError<string>(
    named ?? BY_STATUS.get(status) ?? (status >= 500 ? "internal" : "invalid_request"),
    text(message) ?? `The endpoint answered ${status}.`,
  );
}

interface ErrorBody {
  readonly code?: unknown;
  readonly message?: unknown;
}

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value.slice(0, 1_000) : undefined;

export interface Broadcast {
  readonly responses: readonly {
    readonly result?: Position;
    readonly error?: { readonly code: string; readonly message: string };
  }[];
}

/** Throws the first room's error where one was not told. */
export function checkBroadcast(rooms: readonly string[], { responses }: Broadcast): void {
  const failed = rooms.flatMap((room, i) => {
    const error = responses[i]?.error;
    return error ? [{ room, ...error }] : [];
  });
  const [first] = failed;
  if (first === undefined) return;
  const { code, message, room } = first;
  const counts = `${failed.length} of ${rooms.length} rooms were not told`;
  throw new HubError<string>(code, `${counts}; of ${room}: ${message}`);
}

export interface History extends Position {
  readonly publications: readonly {
    readonly offset: number;
    readonly target: string;
    readonly arguments: readonly unknown[];
    readonly at: number;
  }[];
}

export const historyOf = ({ epoch, offset, publications }: History): HistoryPage => ({
  messages: publications.map(({ target, arguments: params, at, ...said }) => ({
    method: target,
    params,
    position: formatPosition({ epoch, offset: said.offset }),
    at,
  })),
  position: formatPosition({ epoch, offset }),
});

export interface Counted {
  readonly num_clients: number;
  readonly num_users: number;
}

export const countsOf = ({ num_clients, num_users }: Counted) => ({
  users: num_users,
  connections: num_clients,
});

export interface Present extends Counted {
  readonly presence: readonly {
    readonly user: string;
    readonly since: number;
    readonly num_clients: number;
    readonly state: unknown;
  }[];
  readonly more: boolean;
}

export const presenceOf = ({ presence, more, ...counted }: Present): PresencePage => ({
  ...countsOf(counted),
  members: presence.map(({ user, since, num_clients, state }) => ({
    ...{ userId: user, since, state: state ?? null },
    connections: num_clients,
  })),
  more,
});
