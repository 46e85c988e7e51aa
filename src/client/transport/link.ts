// Opens one WebSocket after another with partysocket: decides when the next attempt starts, and when no more follow.
// partysocket makes single attempts (`maxRetries: 0`), and this file the pauses between them: partysocket's own have no
// jitter, so that clients which lost their connections together would return together.

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
  /** The application's option: a text or a function. */
  readonly token: unknown;
  /** Failures in a row after which the link ends. */
  readonly maxRetries: number;
  /** The application's class, or else the platform's; undefined if there is neither. */
  readonly WebSocket: WebSocketClass | undefined;
  /**
   * Called before each attempt for its query parameters. If it rejects, the attempt fails with the code `no_token`; if
   * the rejection itself has this code, the link ends.
   */
  query(): Promise<Record<string, string | undefined>>;
  onOpen(): void;
  onMessage(text: string): void;
  /** Called when an attempt failed or the connection was lost. The next attempt starts in `pause` milliseconds. */
  onLost(error: HubError, pause: number): void;
  /** Called instead of `onLost` if no attempt follows. */
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
  /** The error of the last `query`. Kept here, because partysocket passes on only the message. */
  #queryError: HubError | undefined;

  /** Does not connect yet: `attempt` does. */
  constructor(options: LinkOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.token);
    const socket = new PartySocket({
      ...options.address,
      // Any value: it is not used. partysocket's own default needs `crypto`, which React Native lacks [CP3].
      id: "_",
      query: () => this.#query(),
      startClosed: true,
      maxRetries: 0,
      // A hook, and not a "close" listener: for errors and its own time limit, partysocket first dispatches a synthetic
      // close with code 1000, then the error. Only the hook gets the original event, whose class shows that it is
      // synthetic; listeners get a copy. False: partysocket itself must not reconnect.
      shouldReconnectOnClose: (event: { readonly code: number; readonly reason: string }) => {
        if (!(event instanceof SyntheticCloseEvent))
          this.drop(closeError(event), shouldReconnect(event.code));
        return false;
      },
      // No limit: partysocket's timer would end an attempt that succeeded during a sleep. `#query` sets a limit.
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
   * To be called with a `$/refused`. Ignored once the connection is greeted: then it is a message that another client
   * has published by that name.
   */
  refuse(refused: Refused): void {
    if (this.#greetedAt !== undefined) return;
    const error = refusalError(refused);
    const mayReturn = this.#refusals.mayReturn(error);
    const isTemporary = mayReturn && error.status !== 500;
    // For developers who have no listener yet: once for a final refusal, at each attempt if the server itself failed.
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

  /** Drops the text if the connection is not open: partysocket would keep it for a later one. */
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

/** The close code before a reconnection: presence keeps the user for the grace period, unlike after a regular close. */
const RETURNS = 3000;

/**
 * Makes sockets whose messages bypass partysocket: it would copy each into a `MessageEvent` [CP3], which React Native
 * lacks. A function that returns a socket, since not every platform's own class can be extended.
 */
const socketClass = ({ WebSocket, onMessage }: LinkOptions) =>
  function open(url: string): WebSocket {
    const socket = new WebSocket!(url) as WebSocket;
    socket.addEventListener("message", (event: Pick<MessageEvent, "data"> & Partial<Event>) => {
      event.stopImmediatePropagation?.();
      // A socket that this side has closed may still receive messages.
      if (typeof event.data === "string" && socket.readyState === PartySocket.OPEN)
        onMessage(event.data);
    });
    return socket;
  };

const NO_SOCKET = "No WebSocket here: use Node 22 or later, or that of `ws` as `WebSocket`.";

/** The error without a reason from the server: the network is lost, or there is no Dormouse at the address. */
const unreachable = (message: string, host?: string): HubError =>
  new HubError<ClientErrorCode>("disconnected", message || `No connection to ${host}.`);
