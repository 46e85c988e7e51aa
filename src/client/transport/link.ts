// One WebSocket after another, on partysocket: decides when the next attempt starts, and when no more follow. Each
// attempt is partysocket's own (`maxRetries: 0`), but the pauses between them are ours: its pauses have no jitter, so
// that clients that lost their connections together would come back together.

import { PartySocket } from "partysocket";
import { CloseEvent as SyntheticCloseEvent } from "partysocket/ws";
import { HubError, shouldReconnect } from "../../model/errors.ts";
import { VERSION, VERSION_PARAMETER } from "../../model/package-version.ts";
import { closeError } from "../model/close-error.ts";
import { refusalError, Refusals, type Refused } from "../model/refusal.ts";
import type { Address } from "../model/room-address.ts";
import { limit, LONGEST_MS, Timer } from "../platform/timer.ts";
import { pauseMs, type Backoff } from "./backoff.ts";
import { hasFailed, noToken } from "./credentials.ts";
import type { ClientErrorCode } from "../model/client-errors.ts";
import type { WebSocketClass } from "../platform/web-socket-class.ts";

/** Callbacks come in this order: `onOpen`, then any number of `onMessage`, then `onLost` or `onEnd`. */
export interface LinkOptions {
  readonly address: Address;
  readonly backoff: Backoff;
  /** The application's, as a text or a function. */
  readonly token: unknown;
  /** Failures in a row after which the link ends. */
  readonly maxRetries: number;
  /** The platform's own where the application gives none; undefined where the platform has none. */
  readonly WebSocket: WebSocketClass | undefined;
  /**
   * Query parameters of an attempt, called before each one. A rejection fails the attempt, with the code `no_token`;
   * one that has this code itself ends the link.
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
  readonly #refusals: Refusals;
  readonly #timer = new Timer();
  /** The error of the last `query`. Kept here, because partysocket passes on only its message. */
  #queryError: HubError | undefined;

  /** Does not connect yet: `attempt` does. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.token);
    const socket = new PartySocket({
      ...options.address,
      // Identifies nobody. partysocket's own value needs `crypto`, which React Native lacks [CP3].
      id: "_",
      query: () => this.#query(),
      startClosed: true,
      maxRetries: 0,
      shouldReconnectOnClose: (event) => this.#onClose(event),
      // Endless: its timer would end an attempt that succeeded while the process slept. Ours is set by #query.
      connectionTimeout: LONGEST_MS,
      WebSocket: socketClass(options),
    });
    socket.addEventListener("open", () => {
      this.#timer.clear();
      this.#phase = "open";
      options.onOpen();
    });
    socket.addEventListener("error", ({ message }) => {
      const error = this.#queryError;
      this.drop(error ?? unreachable(message, options.address.host), !error || hasFailed(error));
    });
    this.#socket = socket;
  }

  async #query(): Promise<Record<string, string | undefined>> {
    this.#queryError = undefined;
    try {
      const query = {
        ...this.#options.address.query,
        [VERSION_PARAMETER]: VERSION,
        ...(await this.#options.query()),
      };
      const error = unreachable(`No answer within ${CONNECT_MS / 1000} s.`);
      if (this.#phase === "attempting") this.#timer.set(() => this.drop(error), CONNECT_MS, limit);
      return query;
    } catch (error) {
      throw (this.#queryError = noToken(error));
    }
  }

  /** Starts the next attempt now: the first one, or ahead of its pause. No effect unless the link is waiting. */
  attempt(): void {
    if (this.#phase !== "waiting") return;
    this.#timer.clear();
    this.#phase = "attempting";
    if (this.#options.WebSocket) this.#socket.reconnect();
    else
      queueMicrotask(() =>
        this.drop(new HubError<ClientErrorCode>("unsupported", NO_SOCKET), false),
      );
  }

  /** To be called when the server's greeting has arrived: only then does a connection count as a success. */
  greet(): void {
    this.#greetedAt = Date.now();
    this.#refusals.admitted();
  }

  /**
   * partysocket's hook for a close, and not a "close" listener: for errors and its own time limit, partysocket first
   * dispatches a synthetic close with code 1000, then the error. Only the hook gets the original event, whose class
   * distinguishes them; listeners get a copy. Always false: partysocket itself must not reconnect.
   */
  #onClose(event: { readonly code: number; readonly reason: string }): false {
    if (!(event instanceof SyntheticCloseEvent))
      this.drop(closeError(event), shouldReconnect(event.code));
    return false;
  }

  /**
   * To be called with the server's refusal. Ignored once the connection is greeted: another client has then published a
   * message by that name.
   */
  refuse(refused: Refused): void {
    if (this.#greetedAt !== undefined) return;
    const error = refusalError(refused);
    const mayReturn = this.#refusals.mayReturn(error);
    const isTemporary = mayReturn && error.status !== 500;
    // A developer who has no listener yet reads it here: once, and with each attempt where the server itself failed.
    if (!isTemporary) console.error(error.code, error.message, error.action);
    this.drop(error, mayReturn);
  }

  /** Gives up the current connection; the next attempt follows after a pause, if one may. */
  drop(error: HubError, mayReconnect = true): void {
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

  /** Dropped silently if the connection is not open: partysocket would keep it for a later one. */
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

/**
 * Makes sockets whose messages go past partysocket: it copies every one into a `MessageEvent` [CP3], which React Native
 * lacks. A function that returns a socket, since not every platform's own class can be extended.
 */
const socketClass = ({ WebSocket, onMessage }: LinkOptions) =>
  function open(url: string): WebSocket {
    const socket = new WebSocket!(url) as WebSocket;
    socket.addEventListener("message", (event: Pick<MessageEvent, "data"> & Partial<Event>) => {
      event.stopImmediatePropagation?.();
      // One that was closed here may still receive some.
      if (typeof event.data === "string" && socket.readyState === PartySocket.OPEN)
        onMessage(event.data);
    });
    return socket;
  };

const NO_SOCKET = "No WebSocket here: use Node 22 or later, or that of `ws` as `WebSocket`.";

/** A server of ours says why it refuses: this is a lost network, or an address where no such server is. */
const unreachable = (message: string, host?: string): HubError =>
  new HubError<ClientErrorCode>("disconnected", message || `No connection to ${host}.`);
