// `events`: the events of one or several rooms as an async iterable, over plain HTTP (Server-Sent Events). For readers
// that only receive, if a WebSocket is not available or not needed.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import { HubError } from "../../model/errors.ts";
import { VERSION, VERSION_PARAMETER } from "../../model/package-version.ts";
import { withDefaults } from "../../model/with-defaults.ts";
import { canonicalTopic } from "../../model/topic.ts";
import { DEFAULTS } from "../model/client-defaults.ts";
import type { ClientErrorCode } from "../model/client-errors.ts";
import { addressOf, type RoomText } from "../model/room-address.ts";
import type { Backoff } from "../transport/backoff.ts";
import type { Token } from "../transport/credentials.ts";
import { readEvents, type ReaderOptions } from "./event-reader.ts";
import type { AnyRoomEvent, RoomEvent } from "./room-event.ts";
import { StreamPosition } from "./stream-position.ts";

interface CommonOptions {
  /** A function is called before every attempt. Absent: a guest, which only hubs that are `anonymous` admit. */
  readonly token?: Token | undefined;
  /**
   * Messages after this position are replayed first, if the server still has them: the `id` of an event, which holds
   * the positions in all rooms, or a position (`epoch:offset`) of the first room.
   */
  readonly since?: string | undefined;
  /** Ends the iteration without an error, as `break` does. */
  readonly signal?: AbortSignal | undefined;
  /** Failed attempts in a row after which the iteration throws. Default: no limit, except for final refusals. */
  readonly maxRetries?: number | undefined;
  /**
   * Pauses between attempts, with full jitter. Default: 1 s at first, doubling to 30 s. The server may ask for more.
   */
  readonly backoff?: Partial<Backoff> | undefined;
  /** Time limit of the token function, in seconds. Default: 30. */
  readonly tokenSeconds?: number | undefined;
  /** A function to use instead of the global `fetch`. React Native's own reads no streams: there, pass expo/fetch. */
  readonly fetch?: typeof fetch | undefined;
}

/** Options of `events`: one room or several, the token, and where to resume. */
export type EventsOptions = CommonOptions &
  (
    | { readonly room: RoomText; readonly rooms?: undefined }
    /** Up to 20 rooms on one stream. */
    | { readonly rooms: readonly [RoomText, ...RoomText[]]; readonly room?: undefined }
  );

/**
 * The events of one or several rooms, for as long as the iteration lasts: messages of a room in order and each position
 * once. After a loss the iteration reconnects and resumes from its last position.
 *
 * Each iteration has a stream of its own, requested by its first `next`; `break` and the signal end it at once. Nothing
 * is read ahead of a slow loop. The server closes the stream of a loop that is too slow, and the iteration resumes.
 *
 * Throws `invalid_name`, `room_kind_not_found`, `invalid_position` or a TypeError for its arguments, and `unsupported`
 * if the platform's `fetch` reads no streams and no other is given. The iteration throws a `HubError` if the server
 * refuses for good (`forbidden`, `hub_not_found`, …) or closes with a code 45xx.
 *
 * @example
 * for await (const event of events<ChatHub>("/hubs/chat", { room: "group:lobby", token })) {
 *   if (event.method === "receiveMessage") console.log(...event.params);
 *   else if (event.type === "reset") await reload(event.room);
 * }
 */
export function events<H extends AnyHub>(
  hub: string,
  { room, rooms: names = [room as RoomText], backoff, ...options }: EventsOptions,
): AsyncIterable<RoomEvent<H>> {
  if (!options.fetch) checkFetch();
  // In the server's spelling, because ids of events use that.
  const rooms = names.map(canonicalTopic);
  const reader: ReaderOptions = {
    ...withDefaults({ ...DEFAULTS, fetch: globalThis.fetch }, options),
    backoff: withDefaults(DEFAULTS.backoff, backoff),
    rooms,
    url: urlOf(hub, rooms),
  };
  void new StreamPosition(rooms, options.since); // Throws now, and not only at the first `next`.
  return { [Symbol.asyncIterator]: () => iterate(reader) as AsyncIterator<RoomEvent<H>> };
}

/** React Native's own `fetch` resolves only when the response has ended, which a stream never does [CP1]. */
function checkFetch(): void {
  const { Response } = globalThis as { Response?: typeof globalThis.Response };
  if (Response && "body" in Response.prototype) return;
  throw new HubError<ClientErrorCode>(
    "unsupported",
    "This fetch reads no streams: use the option fetch, for example with expo/fetch.",
  );
}

/** The path holds the first room; the others are query parameters. */
function urlOf(hub: string, [first = "", ...others]: readonly string[]): string {
  const { location } = globalThis as { location?: { readonly href: string } };
  const { protocol, host, basePath, query } = addressOf(hub, first, location?.href);
  const url = new URL(`${protocol.replace("ws", "http")}://${host}/${basePath}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  for (const room of others) url.searchParams.append("room", room);
  url.searchParams.append(VERSION_PARAMETER, VERSION);
  return url.href;
}

/** `return` of a generator waits for a pending `next`: so it first aborts the request for which that `next` waits. */
function iterate(options: ReaderOptions): AsyncIterator<AnyRoomEvent, void> {
  const controller = new AbortController();
  const generator = readUntilAborted(options, controller);
  return {
    next: () => generator.next(),
    return: () => {
      controller.abort();
      return generator.return();
    },
  };
}

/** Ends without an error once the controller or the application's signal is aborted. */
async function* readUntilAborted(
  options: ReaderOptions,
  controller: AbortController,
): AsyncGenerator<AnyRoomEvent, void> {
  const { signal } = options;
  const abort = () => controller.abort();
  if (signal?.aborted) return;
  signal?.addEventListener("abort", abort);
  try {
    yield* readEvents({ ...options, signal: controller.signal });
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
