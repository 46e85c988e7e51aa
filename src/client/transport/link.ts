// One connection after another, on partysocket: when the next attempt comes, and when there is none. partysocket makes
// each attempt (`maxRetries: 0`); the pauses are ours, because its own have no jitter and would keep a herd together.

import { PartySocket } from "partysocket";
import { CloseEvent as MadeUpClose } from "partysocket/ws";
import { HubError, shouldReconnect } from "../../model/errors.ts";
import type { ClientErrorCode } from "../client-errors.ts";
import type { Address } from "../scope/room-address.ts";
import { pauseMs, type Backoff } from "./backoff.ts";
import { closeError } from "../session/close-error.ts";
import { Timer } from "./timer.ts";

export interface LinkOptions {
  readonly address: Address;
  readonly backoff: Backoff;
  /** Failures in a row after which it gives up. */
  readonly maxRetries: number;
  readonly WebSocket: unknown;
  /** Asked before every attempt; what it throws makes the attempt fail. */
  query(): Promise<Record<string, string | undefined>>;
  opened(): void;
  received(text: string): void;
  /** Another attempt follows. */
  lost(error: HubError, pause: number): void;
  ended(error: HubError): void;
}

/** For one attempt; a phone on a bad day takes seconds. */
const CONNECT_MS = 10_000;

type Phase = "attempting" | "open" | "waiting" | "ended";

/** A connection that lived as long was a good one: the next failure is the first again. */
const STEADY_MS = 5_000;

export class Link {
  readonly #options: LinkOptions;
  readonly #socket: PartySocket;
  #phase: Phase = "waiting";
  #failures = 0;
  #greetedAt: number | undefined;
  readonly #timer = new Timer();
  /** Why the query failed: partysocket keeps no more of an error than its message. */
  #refusal: HubError | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    const { address, WebSocket } = options;
    const socket = new PartySocket({
      ...address,
      query: () => this.#query(),
      startClosed: true,
      maxRetries: 0,
      shouldReconnectOnClose: (event) => this.#closed(event),
      connectionTimeout: CONNECT_MS,
      // What is not sent at once is ours to send again.
      maxEnqueuedMessages: 0,
      ...(WebSocket !== undefined && { WebSocket }),
    });
    socket.addEventListener("open", () => this.#opened());
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") options.received(data);
    });
    socket.addEventListener("error", ({ message }) =>
      this.#fail(this.#refusal ?? unreachable(message)),
    );
    this.#socket = socket;
  }

  async #query(): Promise<Record<string, string | undefined>> {
    this.#refusal = undefined;
    try {
      return { ...this.#options.address.query, ...(await this.#options.query()) };
    } catch (error) {
      this.#refusal = new HubError<ClientErrorCode>(
        "no_token",
        "There is no token to connect with.",
        {
          cause: error,
        },
      );
      throw this.#refusal;
    }
  }

  /** The next attempt, now: the first, or because the network may be back. */
  attempt(): void {
    if (this.#phase !== "waiting") return;
    this.#timer.clear();
    this.#phase = "attempting";
    this.#socket.reconnect();
  }

  #opened(): void {
    this.#phase = "open";
    this.#options.opened();
  }

  /** The server has said hello. */
  greeted(): void {
    this.#greetedAt = Date.now();
  }

  /**
   * Asked rather than heard: partysocket tells of errors and of its own time limit by a close with 1000, made up, and
   * the error after it, and listeners get copies which do not show that.
   */
  #closed(event: { readonly code: number; readonly reason: string }): false {
    if (!(event instanceof MadeUpClose)) this.#fail(closeError(event), shouldReconnect(event.code));
    return false;
  }

  /** Ends this connection and sees to the next. */
  drop(error: HubError): void {
    this.#fail(error);
  }

  #fail(error: HubError, mayReturn = true): void {
    if (this.#phase === "waiting" || this.#phase === "ended") return;
    if (this.#greetedAt !== undefined && Date.now() - this.#greetedAt >= STEADY_MS)
      this.#failures = 0;
    this.#greetedAt = undefined;
    if (!mayReturn || this.#failures >= this.#options.maxRetries) {
      this.close();
      return this.#options.ended(error);
    }
    this.#wait(error);
  }

  #wait(error: HubError): void {
    const pause = pauseMs(this.#failures++, this.#options.backoff);
    this.#phase = "waiting";
    this.#socket.close();
    this.#timer.set(() => this.attempt(), pause);
    this.#options.lost(error, pause);
  }

  get isOpen(): boolean {
    return this.#phase === "open" && this.#socket.readyState === PartySocket.OPEN;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  /** Gone, if it is not open. */
  send(text: string): void {
    if (this.isOpen) this.#socket.send(text);
  }

  /** For good, and silently. */
  close(): void {
    this.#phase = "ended";
    this.#timer.clear();
    this.#socket.close();
  }
}

const unreachable = (message: string): HubError =>
  new HubError<ClientErrorCode>(
    "disconnected",
    message || "The connection failed, or was refused.",
  );
