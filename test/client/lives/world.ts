// The world around a client in a random life: its network, its server, its tokens, its clock, and other users.

import { vi } from "vitest";
import type { Chance } from "../../support/seed.ts";
import { advance } from "../server.ts";
import { ModelServer } from "./model-server.ts";

/** After these the client returns. */
const LOSSES = [1001, 1006, 1011, 1012, 3000, 4401, 4408, 4410, 4411, 4413, 4420, 4429];
/** After these it does not return. */
const ENDS = [1008, 4500, 4501, 4505, 4510, 4511];
const HOUR = 3_600_000;
/** The longest pause of the client. */
const QUIET_SECONDS = 31;

export class World {
  readonly chance: Chance;
  readonly server: ModelServer;
  readonly trail: string[] = [];
  readonly faults: string[] = [];
  /** The application has closed its connection. */
  isClosed = false;
  /** Tokens that are being fetched. */
  readonly #slow: (() => void)[] = [];
  #wasRefused = false;

  constructor(chance: Chance, rooms: readonly string[]) {
    this.chance = chance;
    this.server = new ModelServer(chance, rooms);
  }

  note(step: string): void {
    this.trail.push(`${Date.now() % HOUR} ${step}`);
  }

  /** The token function of the application: slow, failing, or fine. */
  readonly token = async (): Promise<string> => {
    const { chance, server } = this;
    if (this.isClosed) this.faults.push("A token after the close.");
    if (server.isCalm || chance.next() < 0.7) return this.#issue();
    if (chance.next() < 0.5) throw new Error("No network.");
    await new Promise<void>((resolve) => void this.#slow.push(resolve));
    return this.#issue();
  };

  #issue(): string {
    const iat = Math.floor(Date.now() / 1000);
    return `h.${btoa(JSON.stringify({ iat, exp: iat + this.chance.pick([20, 100, 4_000]) }))}.s`;
  }

  /** The server, or the network, answers a handshake. */
  answerHandshake(): void {
    const { server, chance } = this;
    const link = server.waiting;
    if (!link) return;
    const fate = server.isCalm ? 1 : chance.next();
    if (fate < 0.08) this.#fail(() => link.socket.fail(), "fails");
    else if (fate < 0.14)
      this.#fail(
        () => link.socket.refuse({ status: 429, code: "rate_limited", retryAfter: 5 }),
        "is refused for 5 s",
      );
    else if (fate < 0.18) this.#fail(() => link.socket.refuse(UNAVAILABLE), "is refused");
    else if (fate < 0.24 && !this.#wasRefused) {
      this.#wasRefused = true;
      this.#fail(() => link.socket.refuse(EXPIRED), "has an outdated token");
    } else if (fate < 0.3) {
      this.note("the server accepts, and is silent");
      link.isHalfOpen = true;
      link.socket.accept();
    } else {
      this.note(`admits ${link.id}`);
      server.admit(link);
    }
    if (link.isGreeted) this.#wasRefused = false;
  }

  #fail(run: () => void, what: string): void {
    this.note(`the handshake ${what}`);
    this.server.link!.hasEnded = true;
    run();
  }

  readonly disturb = (): void => {
    const { server, chance } = this;
    const { link } = server;
    const kind = chance.below(10);
    if (kind === 0) {
      this.note("the server restarts");
      server.restart();
    } else if (kind < 3) {
      for (const room of server.rooms.values()) room.forget(chance.below(4));
    } else if (kind < 5 && link?.isGreeted) {
      this.note("half-open");
      link.isHalfOpen = true;
    } else if (kind < 8 && link?.isGreeted && !link.isHalfOpen) {
      const code = chance.pick(LOSSES);
      this.note(`cut with ${code}`);
      server.cut(link, code);
    } else this.sweep();
  };

  /** The server asks the client, if there is a connection. */
  readonly ask = (): void => {
    const { link } = this.server;
    if (link?.isGreeted && !link.hasEnded) this.server.questions.ask(link);
  };

  /** The server ends the connection for good. Returns false if there is none. */
  dismiss(): boolean {
    const { server, chance } = this;
    const { link } = server;
    if (!link?.isGreeted || link.isHalfOpen || link.hasEnded) return false;
    const code = chance.pick(ENDS);
    this.note(`dismissed with ${code}`);
    server.cut(link, code);
    return true;
  }

  /** The server finds lost clients. */
  sweep(): void {
    for (const one of this.server.links)
      if (!one.hasEnded && (one.isHalfOpen || one.socket.readyState > 1)) this.server.end(one);
  }

  readonly publish = (): void => {
    const { server, chance } = this;
    const room = chance.pick([...server.rooms.values()]);
    const user = chance.pick(["bob", "carol", "dave"]);
    const kind = chance.below(6);
    if (kind === 0) room.meet(user);
    else if (kind === 1) room.part(user);
    else if (kind === 2) room.track(user, chance.below(9));
    else if (kind === 3) room.change(chance.pick(["n", "m"]), chance.below(9));
    else room.publish("said", [user, "hi"]);
  };

  /** Time goes on: a moment mostly, or a sleep, or someone sets the clock. */
  async wait(): Promise<void> {
    const { chance } = this;
    const kind = chance.below(20);
    if (kind === 0) {
      this.note("sleeps");
      vi.setSystemTime(Date.now() + chance.pick([1_000, 60_000, HOUR]));
    } else if (kind === 1) {
      this.note("the clock is set back");
      vi.setSystemTime(Date.now() - chance.pick([1_000, 60_000, HOUR]));
    } else await advance(chance.pick([0, 0, 1, 10, 100, 1_000, 5_000, 20_000]));
  }

  /** The network does something: without a connection, a handshake or a pause goes on. */
  async pump(): Promise<void> {
    this.answerHandshake();
    if (this.chance.next() < 0.3) this.#slow.shift()?.();
    this.server.pump(3);
    await advance(this.server.link ? 0 : this.chance.pick([10, 1_000, 10_000]));
  }

  /** The network is healthy, and everything on the way arrives. False if that takes more than ten minutes. */
  async settle(isQuiet: () => boolean): Promise<boolean> {
    const { server } = this;
    server.isCalm = true;
    this.note("calm");
    let quiet = 0;
    for (let seconds = 0; seconds < 600 && quiet < QUIET_SECONDS; seconds += 1) {
      this.answerHandshake();
      this.sweep();
      // oxlint-disable-next-line no-await-in-loop -- one second after another
      await advance(1_000);
      for (let n = 0; n < 4; n += 1) server.pump(8);
      quiet = server.isIdle && isQuiet() ? quiet + 1 : 0;
    }
    server.isCalm = false;
    return quiet >= QUIET_SECONDS;
  }
}

const UNAVAILABLE = { status: 503, code: "unavailable" };
const EXPIRED = { status: 401, code: "token_expired" };
