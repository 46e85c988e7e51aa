// One request to the endpoint: with a token, and again where it failed and may be repeated. What comes back is JSON, or a
// HubError. `ky` counts, waits and gives up.

import ky, { isHTTPError, isTimeoutError, type Options } from "ky";
import { HubError } from "../../model/errors.ts";
import type { ClientErrorCode } from "../client-errors.ts";
import { answerOf, refusalOf } from "./backend-answers.ts";
import {
  DEFAULTS,
  type BackendOptions,
  type CallOptions,
  type Fetching,
} from "./backend-options.ts";
import type { Tokens } from "./service-tokens.ts";

export interface Question {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** Behind `/api/hubs/{hub}`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  /** JSON. */
  readonly body?: string;
  /** Twice would not be the same as once: it is only repeated where it surely was not done. */
  readonly once?: boolean;
  /** Default: the call's, or 30. */
  readonly timeoutSeconds?: number;
}

export type Requests = (question: Question) => Promise<unknown>;

export interface RequestsOptions {
  /** `https://host/api/hubs/orders` */
  readonly api: string;
  readonly tokens: Tokens;
  readonly backend: BackendOptions;
  readonly call: CallOptions;
}

/** Nothing was done: too many requests, and the token, which is seen to below. */
const REFUSED = [429];
/** It may not have been done, or not for long: 408, 429 and all of 5xx but 501, which will never be. */
const FAILED = [408, 429, ...Array.from({ length: 100 }, (_, i) => 500 + i)].filter(
  (status) => status !== 501,
);

export const requestsOf = (options: RequestsOptions): Requests => {
  const { api, call } = options;
  return async (question) => {
    const url = addressOf(`${api}${question.path}`, question, options.backend);
    try {
      const response = await ky(url, kyOptions(url, question, options));
      return answerOf(await response.text());
    } catch (error) {
      throw errorOf(error, call.signal);
    }
  };
};

function addressOf(path: string, { query = {} }: Question, { application }: BackendOptions): URL {
  const url = new URL(path);
  for (const [name, value] of Object.entries({ ...query, application }))
    for (const one of value === undefined ? [] : [value].flat())
      url.searchParams.append(name, `${one}`);
  return url;
}

function kyOptions(url: URL, question: Question, options: RequestsOptions): Options {
  const { backend, call } = options;
  const { method, once = false } = question;
  const { signal } = call;
  const totalMs =
    1000 * (call.timeoutSeconds ?? question.timeoutSeconds ?? DEFAULTS.timeoutSeconds);
  const { baseMs, capMs } = { ...DEFAULTS.backoff, ...backend.backoff };
  const endAt = Date.now() + totalMs;
  return {
    method,
    fetch: ({ signal: ending }: Request) => attempt(url, question, { ...options, ending }),
    timeout: once ? false : DEFAULTS.attemptSeconds * 1000,
    totalTimeout: totalMs,
    ...(signal && { signal }),
    retry: {
      limit: (backend.attempts ?? DEFAULTS.attempts) - 1,
      methods: [method],
      statusCodes: once ? REFUSED : FAILED,
      afterStatusCodes: [429, 503],
      delay: (failures) => Math.min(capMs, baseMs * 2 ** (failures - 1)),
      jitter: true,
      shouldRetry({ error }) {
        // By its status, but what the server asks for is waited for only where there is time.
        if (isHTTPError(error))
          return Date.now() + waitOf(error.response) < endAt ? undefined : false;
        return !once && !signal?.aborted && (isUnreachable(error) || isTimeoutError(error));
      },
    },
  } as Options;
}

const waitOf = ({ headers }: Response): number => 1000 * (Number(headers.get("retry-after")) || 0);

interface Attempt extends RequestsOptions {
  readonly ending: AbortSignal;
}

/** A token that is refused is replaced once, at once. */
async function attempt(url: URL, question: Question, options: Attempt): Promise<Response> {
  const audience = `${url.origin}${url.pathname}`;
  const token = await options.tokens(audience);
  const response = await send(url, question, options, token);
  if (response.status !== 401) return response;
  const other = await options.tokens(audience, token);
  return other === token ? response : send(url, question, options, other);
}

/** Whole answers only: one that breaks off is as good as none, and may be repeated like it. */
async function send(
  url: URL,
  { method, body }: Question,
  { backend, ending }: Attempt,
  token: string,
): Promise<Response> {
  const { fetcher = globalThis as Fetching } = backend;
  ending.throwIfAborted();
  const request = new Request(url, {
    method,
    headers: {
      accept: "application/json",
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body }),
    // A redirected POST would come as a GET, and its token is for this address.
    redirect: "manual",
    signal: ending,
  });
  try {
    const response = await fetcher.fetch(request);
    const text = await response.text();
    return new Response(text === "" ? null : text, response);
  } catch (cause) {
    throw new HubError<ClientErrorCode>(
      "unreachable",
      "The endpoint could not be reached, or did not answer.",
      {
        cause,
      },
    );
  }
}

const isUnreachable = (error: unknown): boolean =>
  error instanceof HubError && error.code === "unreachable";

function errorOf(error: unknown, signal: AbortSignal | undefined): HubError {
  if (signal?.aborted)
    return new HubError("cancelled", "The call was cancelled.", { cause: signal.reason });
  // Without a cause: ky's error holds the request, and so the token, and whatever logs an error logs its cause.
  if (isHTTPError(error)) return refusalOf(error.response, error.data);
  if (isTimeoutError(error)) return new HubError("timed_out", "The endpoint took too long.");
  if (error instanceof HubError) return error;
  return new HubError("invalid_request", "The request could not be made.", { cause: error });
}
