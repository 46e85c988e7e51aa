// NATS over WebSocket: its text protocol in binary frames. A room is a subject.

import { payloadOf, seqOf, type Dialect } from "./dialect.ts";

const END = "\r\n";

/** Records may be cut anywhere. A line that announces a message is not the end of a record. */
const isWhole = (frame: string): boolean =>
  frame.endsWith(END) && !frame.startsWith("MSG ", lastLine(frame));

const lastLine = (frame: string): number => {
  const before = frame.lastIndexOf(END, frame.length - END.length - 1);
  return before < 0 ? 0 : before + END.length;
};

/** Operations without a message: the server's greeting and its pings. */
const IDLE = /^(?:INFO |PING$|PONG$|\+OK$)/;

function messagesIn(frame: string): number[] {
  const found: number[] = [];
  for (let at = 0; at < frame.length;) {
    const end = frame.indexOf(END, at);
    const line = frame.slice(at, end);
    at = end + END.length;
    if (IDLE.test(line)) continue;
    // MSG <subject> <sid> <bytes>, followed by a payload of that length.
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
  publishFrame(seq, room) {
    const payload = payloadOf(seq);
    return `PUB ${room} ${payload.length}\r\n${payload}\r\n`;
  },
  messagesIn,
  // The server pings two seconds after a connect. The run starts after that.
  quietMs: 3_000,
};
