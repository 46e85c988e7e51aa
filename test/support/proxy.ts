// A wire that can be cut, between clients and the endpoint: TCP on 127.0.0.1, which passes on what it is given.

import { createServer, connect as dial, type AddressInfo, type Socket } from "node:net";

/**
 * `reset` is an RST to both ends, `fin` the end of both directions without a Close frame, and `vanish` an RST to the
 * client of which the endpoint hears nothing, as when a phone changes its network.
 */
export const BREAKS = ["reset", "fin", "vanish"] as const;
export type Break = (typeof BREAKS)[number];

export interface Proxy extends Disposable {
  readonly port: number;
  /** Without a slash at the end. */
  readonly url: string;
  /** Cuts the WebSockets of the client whose URL has `client=` with this name, or all; gives how many there were. */
  cut(how: Break, client?: string): number;
  /** Cuts all there is, requests and streams as well; gives how many connections that were. */
  sever(how: Break): number;
  /** WebSockets of this client, or all, that the endpoint has let in and that are not cut. */
  open(client?: string): number;
  /** How many WebSockets of this client the endpoint has let in so far. */
  opened(client: string): number;
  /** Nothing passes any more, and who comes waits. */
  hold(): void;
  release(): void;
  /** Whether who comes is turned away by an RST. */
  refuse(refuses: boolean): void;
}

/** One connection of a client's. */
class Wire {
  readonly near: Socket;
  readonly #port: number;
  #far: Socket | undefined;
  /** By what its first request says. */
  client = "";
  isWebSocket = false;
  isOpen = false;
  onOpen: () => void = () => {};

  constructor(near: Socket, port: number) {
    this.near = near;
    this.#port = port;
    near.on("error", () => {}).on("close", () => this.#far?.destroy());
    near.once("data", (head: Buffer) => this.#name(head.toString("latin1")));
    near.on("data", (chunk: Buffer) => this.#reach().write(chunk));
  }

  #name(head: string): void {
    this.isWebSocket = /^upgrade: websocket/im.test(head);
    this.client = /^GET \S*[?&]client=(\w+)/.exec(head)?.[1] ?? "";
  }

  /** The endpoint is dialled when there is something to say to it. */
  #reach(): Socket {
    if (this.#far) return this.#far;
    const far = dial(this.#port, "127.0.0.1");
    far.on("error", () => {}).on("close", () => this.near.destroy());
    far.once("data", (head: Buffer) => {
      if (!this.isWebSocket || !head.toString("latin1").startsWith("HTTP/1.1 101")) return;
      this.isOpen = true;
      this.onOpen();
    });
    far.on("data", (chunk: Buffer) => this.near.write(chunk));
    return (this.#far = far);
  }

  pause(pauses: boolean): void {
    for (const socket of [this.near, this.#far]) void (pauses ? socket?.pause() : socket?.resume());
  }

  cut(how: Break): void {
    this.isOpen = false;
    if (how === "vanish") return this.#vanish();
    for (const socket of [this.near, this.#far])
      void (how === "reset" ? socket?.resetAndDestroy() : socket?.destroySoon());
  }

  /** The endpoint goes on speaking, to nobody. */
  #vanish(): void {
    const far = this.#far;
    this.#far = undefined;
    far?.removeAllListeners("data").resume();
    this.near.resetAndDestroy();
    if (far) this.onVanished(far);
  }

  onVanished: (far: Socket) => void = () => {};
}

export async function startProxy(to: number): Promise<Proxy> {
  const wires = new Set<Wire>();
  const vanished = new Set<Socket>();
  const opened = new Map<string, number>();
  let [isHeld, refuses] = [false, false];
  const server = createServer((near) => {
    if (refuses) return void near.on("error", () => {}).resetAndDestroy();
    const wire = new Wire(near, to);
    wires.add(wire);
    near.on("close", () => wires.delete(wire));
    wire.onOpen = () => opened.set(wire.client, (opened.get(wire.client) ?? 0) + 1);
    wire.onVanished = (far) => vanished.add(far);
    if (isHeld) wire.pause(true);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const openOf = (client?: string) =>
    [...wires].filter((wire) => wire.isOpen && (client === undefined || wire.client === client));
  const hold = (holds: boolean) => {
    isHeld = holds;
    for (const wire of wires) wire.pause(holds);
  };
  return {
    ...{ port, url: `http://127.0.0.1:${port}` },
    cut(how, client) {
      const mine = openOf(client);
      for (const wire of mine) wire.cut(how);
      return mine.length;
    },
    sever(how) {
      const all = [...wires];
      for (const wire of all) wire.cut(how);
      return all.length;
    },
    open: (client) => openOf(client).length,
    opened: (client) => opened.get(client) ?? 0,
    hold: () => hold(true),
    release: () => hold(false),
    refuse: (now) => void (refuses = now),
    [Symbol.dispose]() {
      for (const { near } of wires) near.destroy();
      for (const far of vanished) far.destroy();
      server.close();
    },
  };
}
