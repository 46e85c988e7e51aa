// One request for an event stream: the token, the response, and the events until the stream ends, by whatever cause.

import { createParser, type EventSourceMessage } from "eventsource-parser";
import { HubError } from "../../model/errors.ts";
import { withTimeout, type Timeout } from "../platform/timeout.ts";
import { refusalError, type Refused } from "../model/refusal.ts";
import { givenToken, noToken, type Token } from "../transport/credentials.ts";
import type { ClientErrorCode } from "../model/client-errors.ts";

export interface StreamRequest {
  readonly url: string;
  readonly token: Token;
  /** Time limit of the token function, in seconds. */
  readonly tokenSeconds: number;
  /** The id of the last event received, as `Last-Event-ID`. Empty: without a replay. */
  readonly lastEventId: string;
  readonly fetch: typeof fetch;
  /** Ends the request and the stream at once. */
  readonly signal: AbortSignal;
  /** The server sent the reconnection time of Server-Sent Events (`retry:`). */
  readonly onRetry: (ms: number) => void;
}

/** Time limit until the response headers. A phone with bad reception takes seconds. */
const RESPONSE_MS = 10_000;
/** Time limit between two chunks: twice the interval of the server's comments (15 s), and a margin. */
const SILENCE_MS = 32_000;
/** The most characters of one event, against a server that never ends one. Far beyond the size limit of any hub. */
const EVENT_LENGTH = 16 * 1024 * 1024;

/**
 * The error of a response that is no event stream. Its code is the server's, or `disconnected` if the answer does not
 * come from Dormouse.
 */
async function responseError(response: Response, signal: AbortSignal): Promise<HubError> {
  const { status, headers } = response;
  const code = headers.get("x-dormouse-error");
  const type = headers.get("content-type") ?? "no content";
  const read = code ? withTimeout(response.json(), answerLimit(signal)) : undefined;
  const body = (await read?.catch(() => {})) as { error?: Refused } | undefined;
  return refusalError({
    message: `The server answered ${status}, ${type}.`,
    ...body?.error,
    code: code ?? "disconnected",
    status,
    retryAfter: Number(headers.get("retry-after")) || 0,
  });
}

/**
 * The parsed events of one response. Returns when the server ends the stream. Throws `no_token`,
 * `timed_out`, `silent`, the server's refusal with its `status`, the errors of `fetch`, and the signal's reason after
 * an abort.
 */
export async function* eventStream(request: StreamRequest): AsyncGenerator<EventSourceMessage> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  request.signal.addEventListener("abort", abort);
  try {
    const response = await fetchStream(request, controller.signal);
    const isStream = /^text\/event-stream\b/.test(response.headers.get("content-type") ?? "");
    if (response.status !== 200 || !isStream || !response.body)
      throw await responseError(response, request.signal);
    yield* eventsIn(response.body.getReader(), request);
  } finally {
    request.signal.removeEventListener("abort", abort);
    abort();
  }
}

async function fetchStream(request: StreamRequest, signal: AbortSignal): Promise<Response> {
  const { url, lastEventId, fetch } = request;
  const token = await tokenOf(request);
  const headers = {
    accept: "text/event-stream",
    ...(token !== "" && { authorization: `Bearer ${token}` }),
    ...(lastEventId !== "" && { "last-event-id": lastEventId }),
  };
  const response = fetch(url, { headers, signal, cache: "no-store" });
  return withTimeout(response, answerLimit(request.signal));
}

const answerLimit = (signal: AbortSignal): Timeout => ({
  ...{ ms: RESPONSE_MS, signal },
  error: () => new HubError("timed_out", `No answer within ${RESPONSE_MS / 1000} s.`),
});

async function tokenOf({ token, tokenSeconds, signal }: StreamRequest): Promise<string> {
  if (typeof token !== "function") return token;
  const error = () => new HubError("timed_out", `The token took more than ${tokenSeconds} s.`);
  // An async function, so that a token function that throws rejects as well.
  const fresh = (async () => token())();
  try {
    return givenToken(await withTimeout(fresh, { ms: tokenSeconds * 1000, signal, error }));
  } catch (cause) {
    throw noToken(cause);
  }
}

async function* eventsIn(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { signal, onRetry }: StreamRequest,
): AsyncGenerator<EventSourceMessage> {
  const events: EventSourceMessage[] = [];
  const onEvent = (event: EventSourceMessage) => void events.push(event);
  const parser = createParser({ onEvent, onRetry, maxBufferSize: EVENT_LENGTH });
  const decoder = new TextDecoder();
  for (;;) {
    const read = withTimeout(reader.read(), { ms: SILENCE_MS, signal, error: silence });
    const { done, value } = await read;
    if (done) return;
    parser.feed(decoder.decode(value, { stream: true }));
    // All events of a chunk are yielded before the next read, which may fail.
    yield* events.splice(0);
  }
}

const silence = () => new HubError<ClientErrorCode>("silent", "The server is silent.");
