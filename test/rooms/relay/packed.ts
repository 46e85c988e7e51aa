// A SignalR client of MessagePack for tests inside workerd: records as they came.

import { decode, encode } from "@msgpack/msgpack";
import { negotiate, open } from "./client.ts";

const RS = "\u001e";
const EXACT = { useBigInt64: true } as const;

export type Packed = readonly unknown[];

/** The length that stands before a message: seven bits in a byte, the lowest first. */
function prefixOf(length: number): number[] {
  const prefix: number[] = [];
  let left = length;
  for (; left > 0x7f; left >>>= 7) prefix.push((left & 0x7f) | 0x80);
  return [...prefix, left];
}

function* recordsIn(bytes: Uint8Array): Iterable<Packed> {
  // The answer to the handshake is JSON.
  for (let at = bytes[0] === 0x7b ? 3 : 0; at < bytes.length;) {
    let [length, shift] = [0, 0];
    for (let byte = 0x80; byte > 0x7f; shift += 7)
      length |= ((byte = bytes[at++]!) & 0x7f) << shift;
    yield decode(bytes.subarray(at, (at += length)), EXACT) as Packed;
  }
}

export async function packed(hub: string, user = "bob") {
  const { connectionToken } = await negotiate(hub, { user });
  const { webSocket: socket } = await open(hub, connectionToken, { user });
  if (!socket) throw new Error("Refused.");
  const records: Packed[] = [];
  const waiting: (() => void)[] = [];
  let calls = 0;
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    records.push(...recordsIn(new Uint8Array(data as ArrayBuffer)));
    for (const wake of waiting.splice(0)) wake();
  });
  socket.accept();
  socket.send(`{"protocol":"messagepack","version":1}${RS}`);
  const find = async (matches: (record: Packed) => boolean): Promise<Packed> => {
    for (;;) {
      const found = records.find(matches);
      if (found) return found;
      await new Promise<void>((wake) => waiting.push(wake));
    }
  };
  const say = (message: unknown[]): void => {
    const payload = encode(message, EXACT);
    socket.send(Uint8Array.from([...prefixOf(payload.length), ...payload]));
  };
  return {
    ...{ socket, find, say },
    /** Error or result of a call. */
    async call(target: string, ...args: unknown[]): Promise<unknown> {
      const id = `p${calls++}`;
      say([1, {}, id, target, args, []]);
      return (await find(([type, , answered]) => type === 3 && answered === id))[4];
    },
    [Symbol.dispose]: () => socket.close(1000),
  };
}
