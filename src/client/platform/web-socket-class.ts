// A WebSocket class that the application gives: that of `ws`, of a polyfill, or of a test.

/** Has the members of the standard's `WebSocket`, of which these tell it apart from other classes. */
export type WebSocketClass = new (url: string) => {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
};
