// One request for an event stream, from its token to its end, however that comes.

import { createParser, type EventSourceMessage } from "eventsource-parser";
import { HubError } from "../../model/errors.ts";
import type { ClientErrorCode } from "../client-errors.ts";
import type { Token } from "../connect-options.ts";
import { within } from "../transport/timeout.ts";

export interface StreamRequest {
  readonly url: string;
  readonly token: Token;
  /** Seconds a token may take. */
  readonly tokenSeconds: number;
  /** Empty: from now on. */
  readonly lastEventId: string;
  readonly fetch: typeof fetch;
  /** Ends it at once. */
  readonly signal: AbortSignal;
  /** When the server wants to see us again, should the stream end. */
  readonly retry: (ms: number) => void;
}

/** Until there is an answer; a phone on a bad day takes seconds. */
const ANSWER_MS = 10_000;
/** Twice the 15 s between two comments of the server, and a little for the way. */
const SILENCE_MS = 32_000;
/** Characters of one event, against a stream that never ends one: no message of a hub is as long. */
const EVENT_LENGTH = 16 * 1024 * 1024;

/** The server has answered, and not with a stream. */
export class Refused extends HubError<string> {
  readonly status: number;
  /** How long it wants to be left alone. */
  readonly retryMs: number;

  constructor({ status, headers }: Response) {
    const code = headers.get("x-dormouse-error") ?? "disconnected";
    super(code, `The server answered ${status}, ${headers.get("content-type") ?? "no content"}.`);
    this.status = status;
    this.retryMs = Number(headers.get("retry-after")) * 1000 || 0;
  }
}

/** Its events, as they are parsed. Throws `no_token`, what `fetch` throws, `Refused`, and `silent`. */
export async function* eventStream(request: StreamRequest): AsyncGenerator<EventSourceMessage> {
  const attempt = new AbortController();
  const stop = () => attempt.abort();
  request.signal.addEventListener("abort", stop);
  try {
    const response = await answerOf(request, attempt.signal);
    const isStream = /^text\/event-stream\b/.test(response.headers.get("content-type") ?? "");
    if (response.status !== 200 || !isStream || !response.body) throw new Refused(response);
    yield* eventsIn(response.body.getReader(), request);
  } finally {
    request.signal.removeEventListener("abort", stop);
    stop();
  }
}

async function answerOf(request: StreamRequest, signal: AbortSignal): Promise<Response> {
  const { url, lastEventId, fetch } = request;
  const headers = {
    accept: "text/event-stream",
    authorization: `Bearer ${await tokenOf(request)}`,
    ...(lastEventId !== "" && { "last-event-id": lastEventId }),
  };
  const late = () => new HubError("timed_out", `No answer within ${ANSWER_MS / 1000} s.`);
  const answer = fetch(url, { headers, signal, cache: "no-store" });
  return within(answer, { ms: ANSWER_MS, signal: request.signal, late });
}

async function tokenOf({ token, tokenSeconds, signal }: StreamRequest): Promise<string> {
  if (typeof token === "string") return token;
  const late = () => new HubError("timed_out", `The token took more than ${tokenSeconds} s.`);
  const fresh = (async () => token())();
  try {
    return await within(fresh, { ms: tokenSeconds * 1000, signal, late });
  } catch (cause) {
    throw new HubError<ClientErrorCode>("no_token", "There is no token to connect with.", {
      cause,
    });
  }
}

async function* eventsIn(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { signal, retry }: StreamRequest,
): AsyncGenerator<EventSourceMessage> {
  const events: EventSourceMessage[] = [];
  const onEvent = (event: EventSourceMessage) => void events.push(event);
  const parser = createParser({ onEvent, onRetry: retry, maxBufferSize: EVENT_LENGTH });
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await within(reader.read(), { ms: SILENCE_MS, signal, late: silent });
    if (done) return;
    parser.feed(decoder.decode(value, { stream: true }));
    // What has come is heard before anything else happens to the stream.
    yield* events.splice(0);
  }
}

const silent = () => new HubError<ClientErrorCode>("silent", "The server has fallen silent.");
