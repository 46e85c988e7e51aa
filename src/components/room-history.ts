// The newest messages of a room for a component: a page of its history, followed by the live messages, none missing and
// none twice.

import type { AnyHub } from "../dispatch/define/hub-definition.ts";
import type { HubError } from "../model/errors.ts";
import { isAfter } from "../model/topic.ts";
import type { HistoryPage, HubMessage, Message } from "../client/model/client-messages.ts";
import type { State } from "../client/model/client-state.ts";
import { closedError } from "../client/model/close-error.ts";
import type { Unsubscribe } from "../client/platform/emitter.ts";
import { readInTurn } from "../client/read-lane.ts";
import type { RoomConnection } from "./hub-at.ts";
import type { LiveValue } from "./live-values.ts";

/** How much of a history a component shows. */
export interface RoomHistoryOptions {
  /** The number of messages from the history at the start. Default and maximum: the server's page. */
  readonly limit?: number | undefined;
  /** The most messages that are kept; older ones are dropped. Default: 1,000. */
  readonly most?: number | undefined;
}

/** A message of a room, from its history or live. */
export type RoomMessage<H extends AnyHub> = HubMessage<H> & { readonly position: string };

/** An immutable object, replaced with every change. */
export interface RoomHistory<H extends AnyHub> {
  /** Oldest first, without changes of presence and of the room's state. */
  readonly messages: readonly RoomMessage<H>[];
  /** Whether the history is still being loaded: then `messages` has only live messages. */
  readonly isLoading: boolean;
  /**
   * Why the history could not be read: `forbidden`, for instance. Live messages still arrive, unless this error has
   * closed the connection. While `isLoading`, the error was temporary, and the history is read again.
   */
  readonly error: HubError | undefined;
}

const LOADING: RoomHistory<AnyHub> = { messages: [], isLoading: true, error: undefined };

const NO_HISTORY: RoomHistory<AnyHub> = { ...LOADING, isLoading: false };

/** To be created once for each component: it keeps the messages. */
export function roomHistory<H extends AnyHub>({
  limit,
  most = 1_000,
}: RoomHistoryOptions = {}): LiveValue<H, RoomHistory<H>> {
  let current = LOADING as RoomHistory<H>;
  return {
    fallback: LOADING as RoomHistory<H>,
    withoutRoom: NO_HISTORY as RoomHistory<H>,
    read: () => current,
    listen(connection, onChange) {
      const page = () => connection.history({ limit });
      const show = (history: RoomHistory<H>) => {
        current = history;
        onChange();
      };
      return new FollowedHistory({ connection, page, most, show }).follow();
    },
  };
}

interface FollowedHistoryOptions<H extends AnyHub> {
  readonly connection: RoomConnection<H>;
  readonly page: () => Promise<HistoryPage<H>>;
  /** The most messages that are kept. */
  readonly most: number;
  readonly show: (history: RoomHistory<H>) => void;
}

/** A request for a page, from its call to its answer. */
interface PageRequest<H extends AnyHub> {
  /** The newest live messages since the request, `most` at most. */
  live: readonly RoomMessage<H>[];
}

/**
 * Loads the history once connected, whenever messages may be missing, and after each greeting until a request succeeds,
 * since one may be lost with its connection. A live message that arrives before the page is kept if the page does not
 * contain it.
 */
class FollowedHistory<H extends AnyHub> {
  readonly #options: FollowedHistoryOptions<H>;
  #history = LOADING as RoomHistory<H>;
  /** The newest request, while it is under way. The answer to an earlier one has no effect. */
  #request: PageRequest<H> | undefined;
  /** Whether nothing was requested yet, or the newest request failed. */
  #isMissing = true;

  constructor(options: FollowedHistoryOptions<H>) {
    this.#options = options;
  }

  follow(): Unsubscribe {
    const { connection } = this.#options;
    const subscriptions = [
      connection.onMessage((message) => this.#append(message)),
      connection.onReload(() => void this.#load()),
      connection.onConnected(() => this.#loadMissing()),
      connection.onState((state) => this.#endIfClosed(state)),
    ];
    if (connection.state.status === "connected") this.#loadMissing();
    else this.#endIfClosed(connection.state);
    return () => {
      this.#request = undefined;
      for (const unsubscribe of subscriptions) unsubscribe();
    };
  }

  #set(change: Partial<RoomHistory<H>>): void {
    this.#history = { ...this.#history, ...change };
    this.#options.show(this.#history);
  }

  #append(message: Message<H>): void {
    const { messages } = this.#history;
    if (!isShown(message) || !isAfter(message.position, messages.at(-1)?.position)) return;
    const request = this.#request;
    if (request) request.live = this.#newest([...request.live, message]);
    this.#set({ messages: this.#newest([...messages, message]) });
  }

  #newest(messages: readonly RoomMessage<H>[]): readonly RoomMessage<H>[] {
    return messages.slice(-this.#options.most);
  }

  #loadMissing(): void {
    if (this.#isMissing) void this.#load();
  }

  /** Ends the loading when the connection closes, for example because the room does not admit this client. */
  #endIfClosed(state: State): void {
    if (state.status !== "closed" || !(this.#isMissing || this.#request)) return;
    this.#end({ error: state.error ?? this.#history.error ?? closedError() });
  }

  /** If the history cannot be read, the present messages remain. */
  async #load(): Promise<void> {
    const { connection, page } = this.#options;
    const request: PageRequest<H> = (this.#request = { live: [] });
    const isWanted = () => this.#request === request;
    const onRefused = (error: HubError) => void (isWanted() && this.#set({ error }));
    this.#isMissing = false;
    this.#set({ isLoading: true });
    try {
      const loaded = await readInTurn(connection, page, { isWanted, onRefused });
      if (loaded && isWanted()) this.#show(loaded, request);
    } catch (error) {
      if (!isWanted()) return;
      this.#isMissing = true;
      this.#end({ error: error as HubError });
    }
  }

  #show(page: HistoryPage<H>, { live }: PageRequest<H>): void {
    const saved = page.messages.filter(isShown) as readonly RoomMessage<H>[];
    const later = live.filter(({ position }) => isAfter(position, page.position));
    this.#end({ messages: this.#newest([...saved, ...later]), error: undefined });
  }

  #end(change: Partial<RoomHistory<H>>): void {
    this.#request = undefined;
    this.#set({ ...change, isLoading: false });
  }
}

const isShown = <H extends AnyHub>(
  message: Message<H>,
): message is RoomMessage<H> & typeof message =>
  !message.method.startsWith("$/") && message.position !== undefined;
