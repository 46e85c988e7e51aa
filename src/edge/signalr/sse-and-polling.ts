// The server's direction of SignalR's other two transports (docs/design/signalr-transports.md#se1, #lp1). The relay's
// object holds a socket that can hibernate; the worker holds the open response, because a worker is billed for CPU time
// and not for waiting.

import { PING, POLL_ENDED, POLL_MS, POLL_REPLACED } from "../../model/wire-constants.ts";
import { asBytes } from "../../protocols/bytes.ts";
import { STREAM_HEADERS } from "../answer/cache-headers.ts";
import { closeQuietly } from "../stream/room-socket.ts";
import { QUEUED_BYTES } from "../stream/slow-reader-queue.ts";
import { TakenReports } from "./taken-reports.ts";

type Frame = string | ArrayBuffer;

/** Interval of SignalR's pings, without which clients time out. */
const KEEP_ALIVE_MS = 15_000;
/**
 * Writes for each ping, the ping included. Only a write shows that a client has gone; behind a proxy only the second
 * write does. An abandoned stream is found within a third of the interval, or two thirds behind a proxy.
 */
const PROBES_A_PING = 3;

const UNCACHED = { ...STREAM_HEADERS, pragma: "no-cache" };

const EVENT_HEADERS = {
  ...UNCACHED,
  "content-type": "text/event-stream",
  "content-encoding": "identity",
};

/**
 * Sends every frame of the relay as an event, and pings by the worker, so that the object can sleep. The worker reports
 * to the relay how much the reader has taken, so that hub methods' streams wait for the reader. The stream ends with
 * the socket, the request's signal or its reader, and with an error if the reader is too far behind.
 */
export function serverSentEvents(socket: WebSocket, { signal }: Request): Response {
  let timer: ReturnType<typeof setInterval> | undefined;
  let isOver = false;
  const taking = new TakenReports((size) => sendQuietly(socket, String(size)));
  /** Runs once, at the first end: a cancelled stream can be neither written to nor closed. */
  const end = (last?: () => void) => {
    if (isOver) return;
    isOver = true;
    clearInterval(timer ?? null);
    closeQuietly(socket);
    last?.();
  };
  const readable = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const write = (text: string, size = 0) => {
          if (isOver) return;
          taking.look(queuedIn(controller));
          if (!taking.mayWrite)
            return end(() => controller.error(new Error("The reader is too slow.")));
          const chunk = asBytes(text);
          taking.add(chunk.byteLength, size);
          controller.enqueue(chunk);
        };
        const close = () => end(() => controller.close());
        // Firefox reports a stream as open only after the first bytes have arrived.
        write(COMMENT);
        signal.addEventListener("abort", close);
        let probes = 0;
        const probe = () => write(++probes % PROBES_A_PING === 0 ? eventOf(PING) : COMMENT);
        timer = setInterval(probe, KEEP_ALIVE_MS / PROBES_A_PING);
        const event = (frame: string) => write(eventOf(frame), frame.length);
        listen(socket, (frame) => event(frame as string), close);
        if (signal.aborted) close();
      },
      // Called when a reader finds the queue empty, not at each read; writes therefore call `look` as well.
      pull: (controller) => taking.look(queuedIn(controller)),
      cancel: () => end(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: QUEUED_BYTES }),
  );
  return new Response(readable, { headers: EVENT_HEADERS, encodeBody: "manual" });
}

const queuedIn = ({ desiredSize }: ReadableStreamDefaultController): number =>
  QUEUED_BYTES - (desiredSize ?? 0);

/** The socket may be closed already, by the relay or for another poll; its close event reports that. */
function sendQuietly(socket: WebSocket, text: string): void {
  try {
    socket.send(text);
  } catch {
    // Closed.
  }
}

/** A line that every reader of event streams ignores. */
const COMMENT = ":\r\n";

/** One event, with a `data:` for each line of the frame. */
const eventOf = (frame: string): string =>
  `${frame
    .split("\n")
    .map((line) => `data: ${line}`)
    .join("\r\n")}\r\n\r\n`;

/**
 * Answers with the frames that wait, or else with the first that arrive; 204 if the connection has ended, or another
 * poll has replaced this one before the relay confirmed its frames. Frames are acknowledged to the relay when they are
 * put into the answer: a poll that breaks earlier loses none; one that breaks later loses them, as in ASP.NET Core. The
 * socket is closed in any case: otherwise the relay would believe that its client still polls.
 */
export async function longPoll(socket: WebSocket, { signal }: Request): Promise<Response> {
  const frames: Frame[] = [];
  const { promise: first, resolve } = Promise.withResolvers<"frames" | "end" | "timeout">();
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  let closeCode: number | undefined;
  const timer = setTimeout(() => resolve("timeout"), POLL_MS);
  signal.addEventListener("abort", () => resolve("timeout"));
  if (signal.aborted) resolve("timeout");
  listen(
    socket,
    (frame) => {
      frames.push(frame);
      resolve("frames");
    },
    (code) => {
      closeCode = code;
      resolve("end");
      close();
    },
  );
  const outcome = await first;
  clearTimeout(timer);
  // Lets frames arrive that are on their way already.
  await scheduler.wait(0);
  // Later frames belong to the next poll, unless the connection ends meanwhile: then there is no next poll.
  let answered = frames.slice();
  // Nobody reads the answer after an abort.
  if (outcome !== "end" && answered.length > 0 && !signal.aborted) {
    await Promise.race([acknowledge(socket, answered.length), closed]);
    if (closeCode === POLL_ENDED) answered = frames;
  }
  closeQuietly(socket);
  const isEmpty = outcome === "end" && answered.length === 0;
  return isEmpty || closeCode === POLL_REPLACED ? connectionEnded() : bodyOf(answered);
}

/** How long the relay may take to close an acknowledged socket. */
const RELEASE_MS = 5_000;

/**
 * Reports to the relay the number of frames in this poll's answer. The relay keeps the others, and closes the socket.
 */
async function acknowledge(socket: WebSocket, count: number): Promise<void> {
  sendQuietly(socket, String(count));
  await scheduler.wait(RELEASE_MS);
}

const connectionEnded = (): Response => new Response(null, { status: 204, headers: UNCACHED });

/** Frames are joined without anything between: in both of SignalR's protocols each marks its own end or length. */
function bodyOf(frames: readonly Frame[]): Response {
  const headers = { ...UNCACHED, "content-type": "application/octet-stream" };
  return new Response(new Blob([...frames]), { headers });
}

/** Adds the listeners before `accept`: frames sent earlier are delivered only after it. */
function listen(
  socket: WebSocket,
  received: (frame: Frame) => void,
  ended: (code: number) => void,
): void {
  socket.addEventListener("message", ({ data }) => received(data as Frame));
  socket.addEventListener("close", ({ code }) => ended(code));
  // The engine's default is Blob, which is read asynchronously.
  socket.binaryType = "arraybuffer";
  socket.accept();
}
