// SignalR's other two transports (SIGNALR §2.3, §2.4), each a socket of the relay's on one side: an open response must
// not keep an object awake, and the worker, which holds it, pays for work and not for waiting.

import { PING } from "../../model/wire-constants.ts";
import { closeQuietly } from "../stream/bridge.ts";

type Frame = string | ArrayBuffer;

const KEEP_ALIVE_MS = 15_000;
/** That a client is gone shows when something is written to it, through a proxy only the second time. */
const PROBES_A_PING = 3;
/** Bytes that may wait for a reader who does not read. */
const QUEUED_BYTES = 1024 * 1024;

const EVENT_HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache,no-store",
  pragma: "no-cache",
  "content-encoding": "identity",
  "x-accel-buffering": "no",
};

/** Whatever the relay writes, as events; and a ping of our own, because the object must sleep. */
export function serverSentEvents(socket: WebSocket, { signal }: Request): Response {
  let timer: ReturnType<typeof setInterval> | undefined;
  let isOver = false;
  /** Once, whoever ends it: a stream that was cancelled can be neither written to nor closed. */
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
        const write = (text: string) => {
          if (isOver) return;
          if ((controller.desiredSize ?? 0) >= 0) return controller.enqueue(encode(text));
          end(() => controller.error(new Error("The reader is too slow.")));
        };
        const close = () => end(() => controller.close());
        // Firefox opens a stream only once something has come.
        write(":\r\n");
        signal.addEventListener("abort", close);
        let probes = 0;
        const probe = () => write(++probes % PROBES_A_PING === 0 ? eventOf(PING) : ":\r\n");
        timer = setInterval(probe, KEEP_ALIVE_MS / PROBES_A_PING);
        listen(socket, (frame) => write(eventOf(frame as string)), close);
        if (signal.aborted) close();
      },
      cancel: () => end(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: QUEUED_BYTES }),
  );
  return new Response(readable, { headers: EVENT_HEADERS, encodeBody: "manual" });
}

/** One event, a `data:` for each line. */
const eventOf = (frame: string): string =>
  `${frame
    .split("\n")
    .map((line) => `data: ${line}`)
    .join("\r\n")}\r\n\r\n`;

const POLL_MS = 90_000;

/** Answers with what waits, or with what comes first; with 204 where nothing will come any more. */
export async function longPoll(socket: WebSocket, { signal }: Request): Promise<Response> {
  const frames: Frame[] = [];
  const { promise: something, resolve } = Promise.withResolvers<"frames" | "end" | "late">();
  const { promise: over, resolve: isOver } = Promise.withResolvers<void>();
  const late = setTimeout(() => resolve("late"), POLL_MS);
  signal.addEventListener("abort", () => resolve("late"));
  if (signal.aborted) resolve("late");
  listen(
    socket,
    (frame) => {
      frames.push(frame);
      resolve("frames");
    },
    () => {
      resolve("end");
      isOver();
    },
  );
  const how = await something;
  clearTimeout(late);
  // What is on its way already comes along.
  await scheduler.wait(0);
  // What comes from now on is the next poll's.
  const taken = frames.slice();
  if (how !== "end" && taken.length > 0) await Promise.race([took(socket, taken.length), over]);
  else if (how === "late") closeQuietly(socket);
  return how === "end" && taken.length === 0 ? nothingMore() : bodyOf(taken);
}

/** How long the relay may take to let a poll go. */
const LET_GO_MS = 5_000;

/** The relay keeps what this poll did not take for the next one, and closes the socket when it knows. */
async function took(socket: WebSocket, count: number): Promise<void> {
  try {
    socket.send(String(count));
  } catch {
    return; // Closed meanwhile: by its end, or by a poll that took this one's place.
  }
  await scheduler.wait(LET_GO_MS);
}

const NOT_KEPT = { "cache-control": "no-cache,no-store", pragma: "no-cache" };

const nothingMore = (): Response => new Response(null, { status: 204, headers: NOT_KEPT });

function bodyOf(frames: readonly Frame[]): Response {
  const headers = { ...NOT_KEPT, "content-type": "application/octet-stream" };
  return new Response(new Blob([...frames]), { headers });
}

function listen(socket: WebSocket, heard: (frame: Frame) => void, ended: () => void): void {
  socket.addEventListener("message", ({ data }) => heard(data as Frame));
  socket.addEventListener("close", ended);
  socket.binaryType = "arraybuffer";
  socket.accept();
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
