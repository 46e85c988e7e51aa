// One raw socket: connects, opens its transport, completes the dialect's greeting; then its bytes go to a listener.

import { connect, type Socket } from "node:net";
import type { Dialect } from "./dialect.ts";
import type { Reader, Take, Target, Transport } from "./transport.ts";
import { webSocket } from "./websocket.ts";

export interface Place {
  readonly port: number;
  readonly room: string;
  readonly member: number;
}

/** One read buffer for all sockets: its content is consumed before the next read. */
const SHARED = Buffer.allocUnsafe(256 * 1024);
const HEAD_END = "\r\n\r\n";

export class Wire {
  readonly #socket: Socket;
  readonly #dialect: Dialect;
  readonly #transport: Transport;
  readonly #target: Target;
  readonly #reader: Reader;
  readonly room: string;
  #head = "";
  /** The handlers of all bytes, and of those that belong to frames. */
  #bytes: Take = (chunk) => this.#onOpeningResponse(chunk);
  #frames: Take = (chunk) => this.#onGreeting(chunk);
  #onReady: () => void = () => {};
  #onFailure: (error: Error) => void = () => {};
  #closing = false;
  /** Time of the last bytes, by `performance.now()`. */
  receivedAt = 0;

  /** Resolves once the socket is in its room. `onLost` is called if the socket ends later without `close`. */
  static open(dialect: Dialect, place: Place, onLost: (error: Error) => void): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const wire = new Wire(dialect, place);
      wire.#onReady = () => {
        wire.#onFailure = onLost;
        resolve(wire);
      };
      wire.#onFailure = reject;
    });
  }

  private constructor(dialect: Dialect, { port, room, member }: Place) {
    this.#dialect = dialect;
    this.#transport = dialect.transport ?? webSocket;
    this.#target = { host: `127.0.0.1:${port}`, path: dialect.path(room, member) };
    this.#reader = this.reader();
    this.room = room;
    this.#socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: { buffer: SHARED, callback: (length) => this.#read(SHARED.subarray(0, length)) },
    });
    this.#socket.once("connect", () => this.#open());
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
    this.#onFailure(error);
  }

  #open(): void {
    const { opening } = this.#transport;
    if (opening) this.#socket.write(opening.request(this.#target));
    else this.#start();
  }

  #onOpeningResponse(chunk: Buffer): void {
    this.#head += chunk.toString("latin1");
    const end = this.#head.indexOf(HEAD_END);
    if (end < 0) return;
    if (!this.#head.startsWith(this.#transport.opening!.answer))
      throw new Error(this.#head.slice(0, 400));
    if (/^(?:sec-websocket-extensions|content-encoding):/im.test(this.#head.slice(0, end)))
      throw new Error("The server compresses.");
    const rest = Buffer.from(this.#head.slice(end + HEAD_END.length), "latin1");
    this.#start();
    if (rest.length > 0) this.#bytes(rest);
  }

  #start(): void {
    const unwrap = this.#transport.unwrapping?.();
    const take: Take = (bytes) => this.#frames(bytes);
    this.#bytes = unwrap ? (chunk) => unwrap(chunk, take) : take;
    if (this.#dialect.hello) this.send(this.#dialect.hello(this.room));
    if (!this.#dialect.isReady) this.#onReady();
  }

  /** Frames before the run: greetings and presence. */
  #onGreeting(chunk: Buffer): void {
    this.receivedAt = performance.now();
    this.#reader.read(chunk, ({ text }) => {
      const reply = this.#dialect.reply?.(text, this.room);
      if (reply !== undefined) this.send(reply);
      if (this.#dialect.isReady?.(text)) this.#onReady();
    });
  }

  /** Sends all further bytes to `listener`. Throws in the middle of a frame. */
  listen(listener: Take): void {
    if (!this.#reader.atBoundary) throw new Error("A run cannot begin in the middle of a frame.");
    this.#frames = listener;
  }

  /** Sends one frame. */
  send(frame: string): void {
    this.write(this.frame(frame));
  }

  frame(text: string): Buffer {
    return this.#transport.frame(text, this.#target, this.#dialect.binary);
  }

  reader(consumed?: number): Reader {
    return this.#transport.reader(this.#dialect, consumed);
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

/** Opens wires in order, `AT_ONCE` at a time. */
export async function openAll(
  dialect: Dialect,
  places: readonly Place[],
  onLost: (error: Error) => void,
): Promise<Wire[]> {
  const wires: Wire[] = [];
  let next = 0;
  const open = async (): Promise<void> => {
    while (next < places.length) {
      const index = next++;
      // Each loop has one upgrade in flight.
      // oxlint-disable-next-line no-await-in-loop
      wires[index] = await Wire.open(dialect, places[index]!, onLost);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, open));
  return wires;
}
