// Requests of the page to the REST interface, with the token of a service. Nothing is repeated: an operator sees what
// failed and decides.

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

  /** Rejects with an `ApiError`, or a `TypeError` where the endpoint cannot be reached. */
  async text({ method, path, query = {}, body, headers }: ApiRequest): Promise<string> {
    const url = new URL(`../api/${path}`, document.baseURI);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, `${value}`);
    const response = await fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.ok) return text;
    const error = errorOf(response, text);
    if (error.status === 401) this.#refused();
    throw error;
  }

  async json<T>(request: ApiRequest): Promise<T> {
    return JSON.parse(await this.text(request)) as T;
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

function errorOf({ status, headers }: Response, text: string): ApiError {
  const code = headers.get("x-dormouse-error") ?? `status_${status}`;
  try {
    const { message } = JSON.parse(text) as { message?: string };
    return new ApiError(status, code, message ?? code);
  } catch {
    return new ApiError(status, code, `The server answered with status ${status}.`);
  }
}
