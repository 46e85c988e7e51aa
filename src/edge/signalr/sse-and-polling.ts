// The server's direction of SignalR's other two transports (docs/design/signalr-transports.md#se1, #lp1). The relay's
// object holds a socket that can hibernate; the worker holds the open response, because a worker is billed for CPU time
// and not for waiting.

import { PING, POLL_ENDED, POLL_REPLACED } from "../../model/wire-constants.ts";
import { asBytes } from "../../protocols/bytes.ts";
import { closeQuietly } from "../stream/room-socket.ts";
import { QUEUED_BYTES } from "../stream/slow-reader-queue.ts";
import { TakenReports } from "./taken-reports.ts";

type Frame = string | ArrayBuffer;

/** Interval of SignalR's pings, which clients time out without. */
const KEEP_ALIVE_MS = 15_000;
/**
 * Writes between two pings, the ping included. Only a write shows that a client is gone; behind a proxy, the second
 * one: an abandoned stream is found within a third of the interval, or two thirds.
 */
const PROBES_A_PING = 3;

const EVENT_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache,no-store",
  pragma: "no-cache",
  "content-encoding": "identity",
  "x-accel-buffering": "no",
};

/**
 * Every frame of the relay as an event, and pings of the worker's own, so that the object can sleep. The worker reports
 * to the relay how much the reader has taken, so that streams of hubs wait for it. The stream ends with the socket,
 * with the request's signal, or with its reader; one that is far behind what does not wait gets an error.
 */
export function serverSentEvents(socket: WebSocket, { signal }: Request): Response {
  let timer: ReturnType<typeof setInterval> | undefined;
  let isOver = false;
  const taking = new TakenReports((size) => sendQuietly(socket, String(size)));
  /** Runs once, at the first end: a stream that was cancelled can be neither written to nor closed. */
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
        // Firefox reports a stream as open only once something has arrived.
        write(COMMENT);
        signal.addEventListener("abort", close);
        let probes = 0;
        const probe = () => write(++probes % PROBES_A_PING === 0 ? eventOf(PING) : COMMENT);
        timer = setInterval(probe, KEEP_ALIVE_MS / PROBES_A_PING);
        const event = (frame: string) => write(eventOf(frame), frame.length);
        listen(socket, (frame) => event(frame as string), close);
        if (signal.aborted) close();
      },
      // The engine calls it when a reader finds nothing, not at each read; writes look as well.
      pull: (controller) => taking.look(queuedIn(controller)),
      cancel: () => end(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: QUEUED_BYTES }),
  );
  return new Response(readable, { headers: EVENT_HEADERS, encodeBody: "manual" });
}

const queuedIn = ({ desiredSize }: ReadableStreamDefaultController): number =>
  QUEUED_BYTES - (desiredSize ?? 0);

/** The socket may be closed already; its event reports that. */
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

/** A poll without frames is answered after this, empty; the client polls again at once. */
const POLL_MS = 90_000;

/**
 * Answers with the frames that wait, or with the first that come; 204 where the connection has ended, or another poll
 * has taken this one's place before its frames were confirmed. Frames that were put into an answer are acknowledged to
 * the relay, so that a poll which breaks before loses none; one which breaks after loses them, as with ASP.NET Core.
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
  // Frames that are on their way already come along.
  await scheduler.wait(0);
  // Frames that come after this are the next poll's, unless the connection ends meanwhile: then no poll gets more.
  let answered = frames.slice();
  // Nobody reads what is answered behind an abort.
  if (outcome !== "end" && answered.length > 0 && !signal.aborted) {
    await Promise.race([acknowledge(socket, answered.length), closed]);
    if (closeCode === POLL_ENDED) answered = frames;
  } else if (outcome !== "end") closeQuietly(socket);
  const isEmpty = outcome === "end" && answered.length === 0;
  return isEmpty || closeCode === POLL_REPLACED ? connectionEnded() : bodyOf(answered);
}

/** How long the relay may take to close an acknowledged socket. */
const RELEASE_MS = 5_000;

/**
 * Reports to the relay the number of frames that this poll answers with. It keeps the others, and closes the socket.
 */
async function acknowledge(socket: WebSocket, count: number): Promise<void> {
  try {
    socket.send(String(count));
  } catch {
    // Closed meanwhile, as its event will tell: the connection has ended, or another poll has taken this one's place.
  }
  await scheduler.wait(RELEASE_MS);
}

const NO_STORE = { "cache-control": "no-cache,no-store", pragma: "no-cache" };

const connectionEnded = (): Response => new Response(null, { status: 204, headers: NO_STORE });

/** Frames end themselves, in both of SignalR's protocols, and are joined as they are. */
function bodyOf(frames: readonly Frame[]): Response {
  const headers = { ...NO_STORE, "content-type": "application/octet-stream" };
  return new Response(new Blob([...frames]), { headers });
}

/** Listeners first, then `accept`: frames that were sent before it are delivered after it. */
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
