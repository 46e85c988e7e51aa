// NATS over WebSocket: its text protocol, in binary frames. A room is a subject.

import { payloadOf, seqOf, type Dialect } from "./dialect.ts";

const END = "\r\n";

/** A record may be cut anywhere. The line that announces a message is not its end. */
const isWhole = (frame: string): boolean =>
  frame.endsWith(END) && !frame.startsWith("MSG ", lastLine(frame));

const lastLine = (frame: string): number => {
  const before = frame.lastIndexOf(END, frame.length - END.length - 1);
  return before < 0 ? 0 : before + END.length;
};

/** Operations that carry nothing: the server greets, and asks whether we are there. */
const IDLE = /^(?:INFO |PING$|PONG$|\+OK$)/;

function heard(frame: string): number[] {
  const found: number[] = [];
  for (let at = 0; at < frame.length;) {
    const end = frame.indexOf(END, at);
    const line = frame.slice(at, end);
    at = end + END.length;
    if (IDLE.test(line)) continue;
    // MSG <subject> <sid> <bytes>; what follows has that length.
    const bytes = line.startsWith("MSG ") ? Number(line.slice(line.lastIndexOf(" ") + 1)) : 0;
    found.push(seqOf(frame.slice(at, at + bytes)));
    if (bytes > 0) at += bytes + END.length;
  }
  return found;
}

export const nats: Dialect = {
  path: () => "/",
  binary: true,
  hello: (room) => `CONNECT {"verbose":false,"pedantic":false}\r\nSUB ${room} 1\r\nPING\r\n`,
  isReady: (frame) => frame.includes("PONG\r\n"),
  isWhole,
  say(seq, room) {
    const payload = payloadOf(seq);
    return `PUB ${room} ${payload.length}\r\n${payload}\r\n`;
  },
  heard,
  // Two seconds after a client came it is asked whether it is there. Those questions shall be over.
  quietMs: 3_000,
};
