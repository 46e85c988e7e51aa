// The request with which a client connected, as hub code sees it.

/** The upgrade or negotiation request of a connection. The token is removed from query and headers. */
export interface ConnectRequest {
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}
