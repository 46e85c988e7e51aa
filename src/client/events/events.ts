// A room's events, or several rooms', as an async iterable over plain HTTP: for those who only listen, where a
// WebSocket is not to be had, or is too much.

import type { AnyHub } from "../../dispatch/define/hub-definition.ts";
import { formatTopic, parseTopic } from "../../model/topic.ts";
import { addressOf, type RoomText } from "../scope/room-address.ts";
import type { Backoff } from "../transport/backoff.ts";
import { keptUp, type Reading } from "./event-reader.ts";
import { DEFAULTS, type Token } from "../connect-options.ts";
import type { AnyRoomEvent, RoomEvent } from "./room-event.ts";
import { Standing } from "./stream-position.ts";

interface CommonOptions {
  /** A function is asked before every attempt. */
  readonly token: Token;
  /**
   * What came after it is heard first, if the server still has it: the `id` of an event, which says where one stands in
   * every room, or a position (`epoch:offset`) of the only or first room.
   */
  readonly since?: string;
  /** Ends the iteration, as `break` does. */
  readonly signal?: AbortSignal;
  /** Failed attempts in a row after which it throws. Default: it never gives up what is not refused for good. */
  readonly maxRetries?: number;
  /** Pauses between attempts, with full jitter: 1 s at first, doubling to 30 s. The server may ask for more than that. */
  readonly backoff?: Partial<Backoff>;
  /** Seconds a token may take. Default: 30. */
  readonly tokenSeconds?: number;
  /** In place of the global one. */
  readonly fetch?: typeof fetch;
}

export type EventsOptions = CommonOptions &
  (
    | { readonly room: RoomText; readonly rooms?: undefined }
    /** On one stream, 20 at most. */
    | { readonly rooms: readonly [RoomText, ...RoomText[]]; readonly room?: undefined }
  );

/**
 * What is said in a room, once and in order, for as long as it is iterated: after every loss it comes back by itself and
 * goes on from where it was. Each iteration is a stream of its own, begun by its first `next`; `break` and the signal
 * end it at once. Nothing is read ahead of a slow loop; a very slow one loses its stream, and resumes.
 *
 * Throws a `HubError` where the server refuses for good (`forbidden`, `hub_not_found`, …), or has ended it (45xx).
 *
 * @example
 * for await (const event of events<ChatHub>("/hubs/chat", { room: "group:lobby", token })) {
 *   if (event.method === "receiveMessage") console.log(...event.params);
 *   else if (event.type === "reset") await reload(event.room);
 * }
 */
export function events<H extends AnyHub>(
  hub: string,
  { room, rooms: several = [room as RoomText], backoff, ...options }: EventsOptions,
): AsyncIterable<RoomEvent<H>> {
  // As the server writes them.
  const rooms = several.map((one) => formatTopic(parseTopic(one)));
  const reading: Reading = {
    ...{ ...DEFAULTS, fetch: globalThis.fetch, ...options },
    backoff: { ...DEFAULTS.backoff, ...backoff },
    rooms,
    url: urlOf(hub, rooms),
  };
  void new Standing(rooms, options.since); // Throws now rather than later.
  return { [Symbol.asyncIterator]: () => iterate(reading) as AsyncIterator<RoomEvent<H>> };
}

function urlOf(hub: string, [first = "", ...others]: readonly string[]): string {
  const { location } = globalThis as { location?: { readonly href: string } };
  const { protocol, host, basePath, query } = addressOf(hub, first, location?.href);
  const url = new URL(`${protocol.replace("ws", "http")}://${host}/${basePath}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.append(name, value);
  for (const room of others) url.searchParams.append("room", room);
  return url.href;
}

/** A generator that waits cannot be told to stop: what it waits for can. */
function iterate(reading: Reading): AsyncIterator<AnyRoomEvent, void> {
  const over = new AbortController();
  const all = read(reading, over);
  return {
    next: () => all.next(),
    return: () => {
      over.abort();
      return all.return();
    },
  };
}

async function* read(reading: Reading, over: AbortController): AsyncGenerator<AnyRoomEvent, void> {
  const { signal } = reading;
  const stop = () => over.abort();
  if (signal?.aborted) return;
  signal?.addEventListener("abort", stop);
  try {
    yield* keptUp({ ...reading, signal: over.signal });
  } catch (error) {
    if (!over.signal.aborted) throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
