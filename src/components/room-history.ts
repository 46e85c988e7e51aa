// The newest messages of a room for a component: a page of its history, followed by the live messages, none missing and
// none twice.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { HubError } from "../model/errors.ts";
import { isAfter } from "../model/topic.ts";
import type { Message } from "../client/model/client-messages.ts";
import type { Unsubscribe } from "../client/platform/emitter.ts";
import type { RoomConnection } from "./hub-at.ts";
import type { LiveValue } from "./live-values.ts";

/** How much of a history a component shows. */
export interface RoomHistoryOptions {
  /** Messages of the history to begin with. Default and maximum: the server's page. */
  readonly limit?: number;
  /** Messages kept; older ones are dropped. Default: 1,000. */
  readonly most?: number;
}

/** A message of a room, from its history or live. */
export type RoomMessage<H extends AnyHub> = Message<H> & { readonly position: string };

/** An immutable object, replaced with every change. */
export interface RoomHistory<H extends AnyHub> {
  /** Oldest first, without changes of presence and of the room's state. */
  readonly messages: readonly RoomMessage<H>[];
  /** The history is not there yet: `messages` has live messages only. */
  readonly isLoading: boolean;
  /** The history could not be read: `forbidden`, for instance. Live messages arrive all the same. */
  readonly error: HubError | undefined;
}

const LOADING: RoomHistory<AnyHub> = { messages: [], isLoading: true, error: undefined };

/** One for each component: it keeps the messages itself. */
export function roomHistory<H extends AnyHub>({
  limit,
  most = 1_000,
}: RoomHistoryOptions = {}): LiveValue<H, RoomHistory<H>> {
  let current = LOADING as RoomHistory<H>;
  return {
    fallback: LOADING as RoomHistory<H>,
    read: () => current,
    listen(connection, onChange) {
      return followHistory(connection, limit, (next) => {
        current = { ...next, messages: next.messages.slice(-most) };
        onChange();
      });
    },
  };
}

/**
 * Loads the history once connected, whenever messages may be missing, and with each greeting until it is there: a request
 * may be lost with its connection. A live message that comes before the page is kept if the page does not contain it.
 */
function followHistory<H extends AnyHub>(
  connection: RoomConnection<H>,
  limit: number | undefined,
  onChange: (history: RoomHistory<H>) => void,
): Unsubscribe {
  let history = LOADING as RoomHistory<H>;
  /** Live messages since the newest request for the history, which is one array for each request. */
  let live: RoomMessage<H>[] = [];
  /** Nothing was requested yet, or the last request failed. */
  let isMissing = true;
  const set = (change: Partial<RoomHistory<H>>) => onChange((history = { ...history, ...change }));
  const append = (message: Message<H>) => {
    if (!isShown(message) || !isAfter(message.position, history.messages.at(-1)?.position)) return;
    live.push(message);
    set({ messages: [...history.messages, message] });
  };
  const load = async () => {
    const since: RoomMessage<H>[] = (live = []);
    isMissing = false;
    set({ isLoading: true });
    const change = await pageOf(connection, limit, { shown: history.messages, live: since });
    if (since !== live) return;
    isMissing = change.error !== undefined;
    set({ ...change, isLoading: false });
  };
  const loadMissing = () => void (isMissing && load());
  const subscriptions = [
    connection.onMessage(append),
    connection.onReload(() => void load()),
    connection.onConnected(loadMissing),
  ];
  if (connection.state.status === "connected") loadMissing();
  return () => {
    live = [];
    for (const unsubscribe of subscriptions) unsubscribe();
  };
}

interface KnownMessages<H extends AnyHub> {
  /** Before the page was requested. */
  readonly shown: readonly RoomMessage<H>[];
  /** Since then. Grows until the page is there. */
  readonly live: readonly RoomMessage<H>[];
}

/** The page, and the messages after it. Where it cannot be read, the messages that are there remain. */
async function pageOf<H extends AnyHub>(
  connection: RoomConnection<H>,
  limit: number | undefined,
  { shown, live }: KnownMessages<H>,
): Promise<Pick<RoomHistory<H>, "messages" | "error">> {
  try {
    const page = await connection.history(limit === undefined ? {} : { limit });
    const saved = page.messages.filter(isShown) as readonly RoomMessage<H>[];
    const later = live.filter(({ position }) => isAfter(position, page.position));
    return { messages: [...saved, ...later], error: undefined };
  } catch (error) {
    return { messages: [...shown, ...live], error: error as HubError };
  }
}

const isShown = <H extends AnyHub>(
  message: Message<H>,
): message is RoomMessage<H> & typeof message =>
  !message.method.startsWith("$/") && message.position !== undefined;
