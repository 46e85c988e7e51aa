// The type of WebSocket classes that applications pass: from `ws`, a polyfill or a test.

/** Must have the members of the standard's `WebSocket`. Those named here distinguish it from other classes. */
export type WebSocketClass = new (url: string) => {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
};
