// A peer by vscode-jsonrpc (npm): the library as it is, on a WebSocket with a message a frame.

import {
  AbstractMessageReader,
  AbstractMessageWriter,
  createMessageConnection,
  Disposable,
  NullLogger,
  type DataCallback,
  type Message,
  type MessageConnection,
} from "vscode-jsonrpc/node";
import type { WebSocket } from "ws";
import { within } from "../client.ts";
import { Inbox, rpcSocket, type Heard, type Visit } from "./sockets.ts";

class Reader extends AbstractMessageReader {
  readonly #socket: WebSocket;
  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
  }

  listen(callback: DataCallback): Disposable {
    this.#socket.on("message", (data: Buffer) => callback(JSON.parse(data.toString()) as Message));
    this.#socket.on("close", () => this.fireClose());
    return Disposable.create(() => this.#socket.terminate());
  }
}

class Writer extends AbstractMessageWriter {
  readonly #socket: WebSocket;
  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
  }

  async write(message: Message): Promise<void> {
    this.#socket.send(JSON.stringify(message));
  }

  end(): void {}
}

export interface Peer extends AsyncDisposable {
  readonly connection: MessageConnection;
  /** Whole messages: handlers are given the params alone. */
  readonly inbox: Inbox<Heard>;
  /** What `$/connected` says. */
  readonly hello: unknown;
  /** As a network loses it. */
  lose(): Promise<void>;
}

/** Listens from the first frame on. */
export async function converse(visit: Visit): Promise<Peer> {
  const socket = await rpcSocket(visit);
  const inbox = new Inbox<Heard>();
  const messageStrategy = {
    handleMessage(message: Message, next: (message: Message) => void) {
      if ("method" in message) inbox.add(message as Message & Heard);
      next(message);
    },
  };
  const [reader, writer] = [new Reader(socket), new Writer(socket)];
  const connection = createMessageConnection(reader, writer, NullLogger, { messageStrategy });
  const closed = new Promise<void>((resolve) => connection.onClose(resolve));
  connection.listen();
  const lose = () => {
    socket.terminate();
    return within(closed, "the close");
  };
  const { params } = await inbox.next("$/connected");
  return { connection, inbox, hello: params, lose, [Symbol.asyncDispose]: lose };
}
