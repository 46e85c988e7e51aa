// What the clients use of Node. Its own types would clash with the platform's.

declare const process: {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
};
