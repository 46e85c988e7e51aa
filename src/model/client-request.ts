// How a connection began, as hub code may know it.

/** The request that a connection began with, without its token. */
export interface ConnectRequest {
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}
