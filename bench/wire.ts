// One raw socket: connect, upgrade, say hello, be ready; then bytes go to whoever listens.

import { connect, type Socket } from "node:net";
import type { Dialect } from "./dialect.ts";
import { FrameReader, maskedFrame, upgradeOf } from "./websocket.ts";

export interface Place {
  readonly port: number;
  readonly room: string;
  readonly member: number;
}

/** All sockets read into one buffer: what is in it is used before the next read. */
const SHARED = Buffer.allocUnsafe(256 * 1024);
const HEAD_END = "\r\n\r\n";

export class Wire {
  readonly #socket: Socket;
  readonly #dialect: Dialect;
  readonly #reader: FrameReader;
  readonly room: string;
  #head = "";
  #bytes: (chunk: Buffer) => void = (chunk) => this.#upgrading(chunk);
  #ready: () => void = () => {};
  #failed: (error: Error) => void = () => {};
  #closing = false;
  /** When something last came, by `performance.now()`. */
  heardAt = 0;

  /** Resolves once the socket is in its room. `lost` hears of a socket that ends by itself later on. */
  static open(dialect: Dialect, place: Place, lost: (error: Error) => void): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const wire = new Wire(dialect, place);
      wire.#ready = () => {
        wire.#failed = lost;
        resolve(wire);
      };
      wire.#failed = reject;
    });
  }

  private constructor(dialect: Dialect, { port, room, member }: Place) {
    this.#dialect = dialect;
    this.#reader = new FrameReader(dialect);
    this.room = room;
    const path = dialect.path(room, member);
    this.#socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: { buffer: SHARED, callback: (length) => this.#read(SHARED.subarray(0, length)) },
    });
    this.#socket.once("connect", () => this.#socket.write(upgradeOf(path, `127.0.0.1:${port}`)));
    this.#socket.on("error", (error) => this.#end(error));
    this.#socket.on("close", () => this.#end(new Error("A socket was closed.")));
  }

  #read(chunk: Buffer): boolean {
    try {
      this.#bytes(chunk);
    } catch (error) {
      this.#end(error as Error);
    }
    return true;
  }

  #end(error: Error): void {
    if (this.#closing) return;
    this.close();
    this.#failed(error);
  }

  #upgrading(chunk: Buffer): void {
    this.#head += chunk.toString("latin1");
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return;
    if (!this.#head.startsWith("HTTP/1.1 101")) throw new Error(this.#head.slice(0, 400));
    if (/^sec-websocket-extensions:/im.test(this.#head.slice(0, end)))
      throw new Error("The server compresses.");
    const rest = Buffer.from(this.#head.slice(end + HEAD_END.length), "latin1");
    this.#bytes = (bytes) => this.#arriving(bytes);
    if (this.#dialect.hello) this.say(this.#dialect.hello(this.room));
    if (!this.#dialect.isReady) this.#ready();
    if (rest.length > 0) this.#arriving(rest);
  }

  /** Before the run begins: welcomes and presence. */
  #arriving(chunk: Buffer): void {
    this.heardAt = performance.now();
    this.#reader.read(chunk, ({ text }) => {
      const reply = this.#dialect.reply?.(text, this.room);
      if (reply !== undefined) this.say(reply);
      if (this.#dialect.isReady?.(text)) this.#ready();
    });
  }

  /** From now on bytes go to `listener`. Throws in the middle of a frame. */
  listen(listener: (chunk: Buffer) => void): void {
    if (!this.#reader.atBoundary) throw new Error("A run cannot begin in the middle of a frame.");
    this.#bytes = listener;
  }

  /** One frame. */
  say(frame: string): void {
    this.write(maskedFrame(frame, this.#dialect.binary));
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#closing = true;
    this.#socket.destroy();
  }
}

const AT_ONCE = 64;

/** Opens them in order, some at a time. */
export async function openAll(
  dialect: Dialect,
  places: readonly Place[],
  lost: (error: Error) => void,
): Promise<Wire[]> {
  const wires: Wire[] = [];
  let next = 0;
  const open = async (): Promise<void> => {
    while (next < places.length) {
      const index = next++;
      // One after another is the point: each of these loops has one upgrade under way.
      // oxlint-disable-next-line no-await-in-loop
      wires[index] = await Wire.open(dialect, places[index]!, lost);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, open));
  return wires;
}
