// Requests of the page to the REST interface, with the token of a service. Nothing is repeated: an operator sees what
// failed and decides.

import { UNREACHED } from "../demo/dom.ts";

const ANSWER_SECONDS = 30;

/** A refusal, with the stable code of docs/limits.md and docs/troubleshooting.md. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

interface ApiRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below `/api/`, with its segments encoded. */
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  /** The body as it is written, in place of `body`. */
  readonly written?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class Api {
  readonly #token: string;
  /** The token was refused: it has ended, or was taken back. */
  readonly #refused: () => void;

  constructor(token: string, refused: () => void) {
    this.#token = token;
    this.#refused = refused;
  }

  /** Rejects with an `ApiError`, or with an error that says that no answer came. */
  async text(request: ApiRequest): Promise<string> {
    const { method, path, query = {}, headers } = request;
    const body = request.written ?? JSON.stringify(request.body);
    const url = new URL(`../api/${path}`, document.baseURI);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, `${value}`);
    const response = await answerTo(url, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body }),
    });
    const text = await response.text();
    if (response.ok) return text;
    const error = errorOf(response, text);
    if (error.status === 401) this.#refused();
    throw error;
  }

  async json<T>(request: ApiRequest): Promise<T> {
    return parsed(await this.text(request)) as T;
  }

  get<T>(path: string, query?: Query): Promise<T> {
    return this.json({ method: "GET", path, ...(query && { query }) });
  }

  async post(path: string, body?: unknown, query?: Query): Promise<void> {
    await this.text({ method: "POST", path, ...(query && { query }), body });
  }

  async delete(path: string): Promise<void> {
    await this.text({ method: "DELETE", path });
  }
}

/** Whole numbers with more digits than a number has keep them: `JSON.stringify` writes them as they came. */
const parsed = (text: string): unknown =>
  /\d{16}/.test(text) ? JSON.parse(text, exact) : JSON.parse(text);

type Reviver = (key: string, value: unknown, context?: { readonly source?: string }) => unknown;

const exact: Reviver = (_key, value, { source = "" } = {}) => {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  // Older browsers have neither.
  const { rawJSON } = JSON as { readonly rawJSON?: (text: string) => unknown };
  return rawJSON && /^-?\d+$/.test(source) ? rawJSON(source) : value;
};

/** An object that hangs must not keep its panel silent. */
async function answerTo(url: URL, request: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...request, signal: AbortSignal.timeout(ANSWER_SECONDS * 1000) });
  } catch (cause) {
    const isLate = cause instanceof DOMException && cause.name === "TimeoutError";
    const reason = isLate ? `There was no answer within ${ANSWER_SECONDS} s.` : UNREACHED;
    throw new Error(reason, { cause });
  }
}

function errorOf({ status, headers }: Response, text: string): ApiError {
  const code = headers.get("x-dormouse-error") ?? `status_${status}`;
  try {
    const { message } = JSON.parse(text) as { message?: string };
    return new ApiError(status, code, message ?? code);
  } catch {
    return new ApiError(status, code, `The server answered with status ${status}.`);
  }
}
