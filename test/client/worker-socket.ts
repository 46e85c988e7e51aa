// Sockets of the client to the real worker, inside workerd.

import { upgrade } from "../rooms/client.ts";

/** A WebSocket over the worker's own `fetch`. */
export class WorkerSocket extends EventTarget {
  readyState = 0;
  readonly bufferedAmount = 0;
  #socket: WebSocket | undefined;

  constructor(url: string) {
    super();
    void this.#open(new URL(url));
  }

  async #open({ pathname, search }: URL): Promise<void> {
    const { webSocket } = await upgrade(pathname + search);
    if (!webSocket) return this.#end(1006);
    this.#socket = webSocket;
    webSocket.addEventListener("message", ({ data }) =>
      this.dispatchEvent(new MessageEvent("message", { data })),
    );
    webSocket.addEventListener("close", ({ code }) => this.#end(code));
    webSocket.addEventListener("error", () => this.#end(1006));
    webSocket.accept();
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  #end(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(new CloseEvent("close", { code }));
  }

  send(frame: string): void {
    this.#socket?.send(frame);
  }

  close(code: number): void {
    this.readyState = 3;
    this.#socket?.close(code);
  }
}
