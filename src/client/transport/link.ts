// One WebSocket after another, on partysocket: decides when the next attempt starts, and when no more follow. Each
// attempt is partysocket's own (`maxRetries: 0`), but the pauses between them are ours: its pauses have no jitter, so
// that clients that lost their connections together would come back together.

import { PartySocket } from "partysocket";
import { CloseEvent as SyntheticCloseEvent } from "partysocket/ws";
import { HubError, shouldReconnect } from "../../model/errors.ts";
import { closeError } from "../model/close-error.ts";
import type { Address } from "../model/room-address.ts";
import { Timer } from "../platform/timer.ts";
import { pauseMs, type Backoff } from "./backoff.ts";
import { hasFailed, noToken } from "./credentials.ts";
import type { ClientErrorCode } from "../model/client-errors.ts";

/** Callbacks come in this order: `onOpen`, then any number of `onMessage`, then `onLost` or `onEnd`. */
export interface LinkOptions {
  readonly address: Address;
  readonly backoff: Backoff;
  /** Failures in a row after which the link ends. */
  readonly maxRetries: number;
  readonly WebSocket: unknown;
  /**
   * Query parameters of an attempt, called before each one. A rejection fails the attempt, with the code `no_token`; one
   * that has this code itself ends the link.
   */
  query(): Promise<Record<string, string | undefined>>;
  onOpen(): void;
  onMessage(text: string): void;
  /** An attempt failed or the connection was lost. The next attempt starts in `pause` milliseconds. */
  onLost(error: HubError, pause: number): void;
  /** The same, but no attempt follows. */
  onEnd(error: HubError): void;
}

/** Time limit of one attempt. A phone with bad reception takes seconds. */
const CONNECT_MS = 10_000;

type Phase = "attempting" | "open" | "waiting" | "ended";

/** A connection that lasted this long after its greeting resets the count of failures, and so the pauses. */
const STEADY_MS = 5_000;

export class Link {
  readonly #options: LinkOptions;
  readonly #socket: PartySocket;
  #phase: Phase = "waiting";
  #failures = 0;
  #greetedAt: number | undefined;
  readonly #timer = new Timer();
  /** The error of the last `query`. Kept here, because partysocket passes on only its message. */
  #queryError: HubError | undefined;

  /** Does not connect yet: `attempt` does. */
  constructor(options: LinkOptions) {
    this.#options = options;
    const { address, WebSocket } = options;
    const socket = new PartySocket({
      ...address,
      query: () => this.#query(),
      startClosed: true,
      maxRetries: 0,
      shouldReconnectOnClose: (event) => this.#onClose(event),
      connectionTimeout: CONNECT_MS,
      // partysocket must not keep messages for a later connection: the session decides what is sent again.
      maxEnqueuedMessages: 0,
      ...(WebSocket !== undefined && { WebSocket }),
    });
    socket.addEventListener("open", () => {
      this.#phase = "open";
      options.onOpen();
    });
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") options.onMessage(data);
    });
    socket.addEventListener("error", ({ message }) =>
      this.#queryError
        ? this.#fail(this.#queryError, hasFailed(this.#queryError))
        : this.#fail(unreachable(message, address.host)),
    );
    this.#socket = socket;
  }

  async #query(): Promise<Record<string, string | undefined>> {
    this.#queryError = undefined;
    try {
      return { ...this.#options.address.query, ...(await this.#options.query()) };
    } catch (error) {
      throw (this.#queryError = noToken(error));
    }
  }

  /** Starts the next attempt now: the first one, or ahead of its pause. No effect unless the link is waiting. */
  attempt(): void {
    if (this.#phase !== "waiting") return;
    this.#timer.clear();
    this.#phase = "attempting";
    this.#socket.reconnect();
  }

  /** To be called when the server's greeting has arrived: only then does a connection count as a success. */
  greet(): void {
    this.#greetedAt = Date.now();
  }

  /**
   * partysocket's hook for a close, and not a "close" listener: for errors and its own time limit, partysocket first
   * dispatches a synthetic close with code 1000, then the error. Only the hook gets the original event, whose class
   * tells them apart; listeners get a copy. Always false: partysocket itself must not reconnect.
   */
  #onClose(event: { readonly code: number; readonly reason: string }): false {
    if (!(event instanceof SyntheticCloseEvent))
      this.#fail(closeError(event), shouldReconnect(event.code));
    return false;
  }

  /** Gives up the current connection; the next attempt follows after a pause, unless `mayReconnect` is false. */
  drop(error: HubError, mayReconnect = true): void {
    this.#fail(error, mayReconnect);
  }

  #fail(error: HubError, mayReconnect = true): void {
    if (this.#phase === "waiting" || this.#phase === "ended") return;
    if (this.#greetedAt !== undefined && Date.now() - this.#greetedAt >= STEADY_MS)
      this.#failures = 0;
    this.#greetedAt = undefined;
    if (!mayReconnect || this.#failures >= this.#options.maxRetries) {
      this.close();
      return this.#options.onEnd(error);
    }
    this.#wait(error);
  }

  #wait(error: HubError): void {
    const pause = pauseMs(this.#failures++, this.#options.backoff, error);
    this.#phase = "waiting";
    this.#socket.close(RETURNS);
    this.#timer.set(() => this.attempt(), pause);
    this.#options.onLost(error, pause);
  }

  get isOpen(): boolean {
    return this.#phase === "open" && this.#socket.readyState === PartySocket.OPEN;
  }

  /** Bytes that the socket has accepted and not yet sent. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  /** Dropped silently if the connection is not open. */
  send(text: string): void {
    if (this.isOpen) this.#socket.send(text);
  }

  /** Final: no attempt and no callback follows. */
  close(): void {
    this.#phase = "ended";
    this.#timer.clear();
    this.#socket.close();
  }
}

/** Close code of a client that comes back: presence keeps its user for the grace, which a regular close ends. */
const RETURNS = 3000;

/** A server of ours says why it refuses: silence is a lost network, or an address where no such server is. */
const unreachable = (message: string, host: string): HubError =>
  new HubError<ClientErrorCode>(
    "disconnected",
    message || `No connection to ${host}: the network is down, or no Dormouse server is there.`,
  );
