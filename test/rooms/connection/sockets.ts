// An object's connections, on sockets that the test makes.

import { DEFAULTS } from "../../../src/model/options.ts";
import type { User } from "../../../src/model/user.ts";
import type { Attached } from "../../../src/rooms/connection/attachment.ts";
import { ConnectionTable } from "../../../src/rooms/connection/connection-table.ts";
import { LivenessSweep } from "../../../src/rooms/connection/liveness-sweep.ts";

export class Socket {
  readyState = WebSocket.OPEN;
  bufferedAmount = 0;
  readonly sent: string[] = [];
  closedWith: unknown;
  pingedAt: number | undefined;
  #attachment: unknown = null;

  send(frame: string): void {
    if (this.readyState !== WebSocket.OPEN) throw new TypeError("Can't send after close.");
    this.sent.push(frame);
  }
  close(code: number): void {
    if (this.closedWith !== undefined) throw new TypeError("Closed already.");
    this.closedWith = code;
  }
  serializeAttachment(value: unknown): void {
    this.#attachment = structuredClone(value);
  }
  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment);
  }
}

const attached = (id: string, more: Partial<Attached> = {}): Attached => ({
  id,
  protocol: "json-rpc",
  user: { id, expiresAt: 1e9 } as User,
  connectedAt: 0,
  heardAt: 0,
  openCalls: [],
  ...more,
});

export function objectWith(sockets: Socket[] = []) {
  const dropped: unknown[] = [];
  const state = {
    acceptWebSocket: (socket: unknown) => void sockets.push(socket as Socket),
    getWebSockets: () => sockets,
    setWebSocketAutoResponse() {},
    getWebSocketAutoResponse: () => null,
    getWebSocketAutoResponseTimestamp: (socket: unknown) => {
      const { pingedAt } = socket as Socket;
      return pingedAt === undefined ? null : new Date(pingedAt);
    },
  } as unknown as DurableObjectState;
  const connections = new ConnectionTable(state, DEFAULTS, ({ id }, code) =>
    dropped.push([id, code]),
  );
  const liveness = new LivenessSweep({
    ...{ state, settings: DEFAULTS, connections },
    sweepMs: () => DEFAULTS.sweepSeconds * 1000,
  });
  const accept = (id: string, more?: Partial<Attached>) => {
    const socket = new Socket();
    return {
      socket,
      connection: connections.accept(socket as unknown as WebSocket, attached(id, more)),
    };
  };
  return { connections, liveness, dropped, accept, sockets };
}
