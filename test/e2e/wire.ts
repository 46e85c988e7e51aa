// TCP without manners: bytes to the endpoint as no WebSocket library would send them, and what came back.

import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import type { Endpoint } from "../support/endpoint.ts";
import { within } from "./client.ts";

export interface Wire extends Disposable {
  readonly tcp: Socket;
  send(bytes: Buffer | string): void;
  /** Everything that came. */
  received(): Buffer;
  /** The status line's number, once there is one; undefined where the peer closed without. */
  status(): Promise<number | undefined>;
  readonly closed: Promise<void>;
}

export function wire(endpoint: Endpoint): Wire {
  const chunks: Buffer[] = [];
  const tcp = connect(endpoint.port, "127.0.0.1");
  const answered = Promise.withResolvers<number | undefined>();
  const received = () => Buffer.concat(chunks);
  tcp.on("data", (chunk) => {
    chunks.push(chunk);
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(received().toString("latin1"))?.[1];
    if (status) answered.resolve(Number(status));
  });
  // A reset is one of the answers that are expected here.
  tcp.on("error", () => {});
  const closed = new Promise<void>((resolve) => {
    tcp.once("close", () => {
      answered.resolve(undefined);
      resolve();
    });
  });
  return {
    tcp,
    received,
    closed,
    send: (bytes) => void tcp.write(bytes),
    status: () => within(answered.promise, "an answer to raw bytes"),
    [Symbol.dispose]: () => void tcp.destroy(),
  };
}

export interface Upgrade {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The text of an upgrade; `headers` replace or add. */
export function upgradeText({ path, headers = {} }: Upgrade): string {
  const all = {
    Host: "127.0.0.1",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** A raw socket that has become a WebSocket in a room. */
export async function upgraded(endpoint: Endpoint, room: string, user: string): Promise<Wire> {
  const raw = wire(endpoint);
  raw.send(upgradeText({ path: `/parties/${room}?access_token=${await endpoint.token(user)}` }));
  const status = await raw.status();
  if (status !== 101) throw new Error(`Upgrade answered ${status}.`);
  return raw;
}

export interface RawFrame {
  /** FIN, RSV1–3 and the opcode: 0x81 is a whole text. */
  readonly first?: number;
  readonly payload?: Buffer | string;
  readonly masked?: boolean;
  /** What the header claims, whatever the payload has. */
  readonly claimed?: number | bigint;
}

export function rawFrame({ first = 0x81, payload = "", masked = true, claimed }: RawFrame): Buffer {
  const body = Buffer.from(payload);
  const length = claimed ?? body.length;
  const mask = masked ? randomBytes(4) : Buffer.alloc(0);
  const bytes = masked ? body.map((byte, i) => byte ^ mask[i % 4]!) : body;
  return Buffer.concat([Buffer.from([first]), lengthOf(length, masked), mask, bytes]);
}

function lengthOf(length: number | bigint, masked: boolean): Buffer {
  const flag = masked ? 0x80 : 0;
  if (length < 126) return Buffer.from([flag | Number(length)]);
  const header = Buffer.alloc(length < 65_536 ? 3 : 9);
  header[0] = flag | (length < 65_536 ? 126 : 127);
  if (length < 65_536) header.writeUInt16BE(Number(length), 1);
  else header.writeBigUInt64BE(BigInt(length), 1);
  return header;
}

/** A Close frame's payload. */
export function closing(code: number, reason = ""): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}
