// Requests to the REST API: each has a token, is repeated after failures if that is safe, and results in JSON or a
// HubError. `ky` counts the attempts and makes the pauses.

import ky, { isHTTPError, isTimeoutError, type Options } from "ky";
import { HubError } from "../../model/errors.ts";
import { toExactJson } from "../../protocols/json.ts";
import { withDefaults } from "../../model/with-defaults.ts";
import { parseBody, refusalOf } from "./backend-answers.ts";
import {
  DEFAULTS,
  type BackendOptions,
  type CallOptions,
  type Fetching,
} from "./backend-options.ts";
import { urlWith, type Query } from "./backend-urls.ts";
import type { TokenSource } from "./service-tokens.ts";
import type { ErrorCode } from "../../model/error-table.ts";
import type { ClientErrorCode } from "../model/client-errors.ts";

export interface RestRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** Relative to `/api/hubs/{hub}`. */
  readonly path: string;
  readonly query?: Query;
  /** JSON. */
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The request is not idempotent: it is repeated only if the endpoint certainly did not execute it. */
  readonly isOnce?: boolean;
  /** Used unless the call itself sets a limit. Default: 30. */
  readonly timeoutSeconds?: number;
}

/** Digits of 64 bits are kept. Throws `invalid_arguments` for what JSON has no form for, as the server would. */
export function bodyOf(members: object): string {
  try {
    return toExactJson(members);
  } catch (error) {
    const { message } = error as Error;
    throw new HubError<ClientErrorCode>("invalid_arguments", message, { cause: error });
  }
}

/** Resolves with the JSON of the response. Rejects with a HubError, after the last attempt. */
export type SendRequest = (request: RestRequest) => Promise<unknown>;

export interface RequestsOptions {
  /** `https://host/api/hubs/orders` */
  readonly api: string;
  readonly tokens: TokenSource;
  readonly backend: BackendOptions;
  readonly call: CallOptions;
}

/** Statuses after which the request was certainly not executed. (401 is handled separately, by `attempt`.) */
const REFUSED_STATUSES = [429];
/** A later attempt may succeed: 408, 429 and all of 5xx except 501, which is permanent. */
const TRANSIENT_STATUSES = [408, 429, ...Array.from({ length: 100 }, (_, i) => 500 + i)].filter(
  (status) => status !== 501,
);

/** Codes with a status 5xx that a further attempt would get again, until the request or the deployment changes. */
const LASTING: ReadonlySet<string> = new Set<ErrorCode>([
  ...(["invalid_state", "invalid_result", "state_newer"] as const),
  ...(["misconfigured", "storage_corrupt"] as const),
]);

export const requestsOf = (options: RequestsOptions): SendRequest => {
  const { api, call } = options;
  const { application } = options.backend;
  return async (request) => {
    const url = urlWith(`${api}${request.path}`, { ...request.query, application });
    let before: unknown;
    const onUnreachable = (error: unknown) => void (before = error);
    try {
      const response = await ky(url, kyOptions(url, request, { ...options, onUnreachable }));
      return parseBody(await response.text());
    } catch (error) {
      throw errorOf(error, call.signal, before);
    }
  };
};

interface KyOptions extends RequestsOptions {
  /** Called with the error of an attempt after which another may follow. */
  onUnreachable(error: unknown): void;
}

/** ky refuses a longer time, because timers cannot represent it. */
const LONGEST_MS = 2 ** 31 - 1;

function kyOptions(url: URL, request: RestRequest, options: KyOptions): Options {
  const { backend, call } = options;
  const { method, isOnce = false } = request;
  const { signal } = call;
  const seconds = call.timeoutSeconds ?? request.timeoutSeconds ?? DEFAULTS.timeoutSeconds;
  const totalMs = Math.min(1000 * seconds, LONGEST_MS);
  const { baseMs, capMs } = withDefaults(DEFAULTS.backoff, backend.backoff);
  const endAt = Date.now() + totalMs;
  return {
    method,
    // Of ky's own request only the signal is used, which ends this attempt.
    fetch: (own: Request) => attempt(url, request, { ...options, signal: own.signal }),
    timeout: isOnce ? false : DEFAULTS.attemptSeconds * 1000,
    totalTimeout: totalMs,
    ...(signal && { signal }),
    retry: {
      limit: (backend.attempts ?? DEFAULTS.attempts) - 1,
      methods: [method],
      statusCodes: isOnce ? REFUSED_STATUSES : TRANSIENT_STATUSES,
      afterStatusCodes: [429, 503],
      delay: (failures) => Math.min(capMs, baseMs * 2 ** (failures - 1)),
      jitter: true,
      shouldRetry({ error }) {
        // Undefined: ky decides by the status. A pause requested by the server must end before the call's time limit.
        if (isHTTPError(error)) return mayPass(error.response, endAt) ? undefined : false;
        if (isUnreachable(error)) options.onUnreachable(error);
        return !isOnce && !signal?.aborted && (isUnreachable(error) || isTimeoutError(error));
      },
    },
  } as Options;
}

const mayPass = (response: Response, endAt: number): boolean =>
  !LASTING.has(response.headers.get("x-dormouse-error") ?? "") &&
  Date.now() + retryAfterMs(response) < endAt;

const retryAfterMs = ({ headers }: Response): number =>
  1000 * (Number(headers.get("retry-after")) || 0);

interface AttemptOptions extends RequestsOptions {
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/** Replaces a refused token once, within the same attempt: the endpoint did not execute the request. */
async function attempt(url: URL, request: RestRequest, options: AttemptOptions): Promise<Response> {
  const audience = `${url.origin}${url.pathname}`;
  const token = await options.tokens(audience);
  const response = await send(requestOf(url, request, { token, ...options }), options.backend);
  if (response.status !== 401) return response;
  const other = await options.tokens(audience, token);
  if (other === token) return response;
  return send(requestOf(url, request, { token: other, ...options }), options.backend);
}

function requestOf(
  url: URL,
  { method, body, headers }: RestRequest,
  { token, signal }: { readonly token: string; readonly signal: AbortSignal },
): Request {
  signal.throwIfAborted();
  return new Request(url, {
    method,
    headers: {
      accept: "application/json",
      authorization: `Bearer ${token}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body }),
    // `fetch` follows a redirected POST with a GET, and the token is valid for this URL only.
    redirect: "manual",
    signal,
  });
}

/** Reads the whole body, so that a response that breaks off counts as a failed attempt. Throws `unreachable`. */
async function send(
  request: Request,
  { fetcher = globalThis as Fetching }: BackendOptions,
): Promise<Response> {
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

/** `before`: the error of an earlier attempt. It is the `cause` of `timed_out`: the call may have ended in a pause. */
function errorOf(error: unknown, signal: AbortSignal | undefined, before: unknown): HubError {
  if (signal?.aborted)
    return new HubError("cancelled", "The call was cancelled.", { cause: signal.reason });
  // Without `cause`: ky's error has the request and thus the token, which would appear in logs that print causes.
  if (isHTTPError(error)) return refusalOf(error.response, error.data);
  if (isTimeoutError(error))
    return new HubError(
      "timed_out",
      "The endpoint took too long.",
      before ? { cause: before } : {},
    );
  if (error instanceof HubError) return error;
  return new HubError("invalid_request", "The request could not be made.", { cause: error });
}
