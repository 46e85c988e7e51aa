// The servers of the bench, by name.

export const PEERS = ["ws", "socket.io", "partyserver", "bare", "nats", "kestrel"] as const;
/** A peer with another protocol, and one behind a backplane. */
const VARIANTS = ["kestrel-msgpack", "kestrel-redis"] as const;
/**
 * Our rooms, by durability. Hubs have presence and reach as by default; `plain` has neither. `acked` is `logged` with
 * every call acknowledged. Sockets of `signalr` are on a relay, one hop from their room.
 */
const OURS = [
  ...["logged", "acked", "behind", "none", "plain", "signalr", "signalr-plain", "signalr-msgpack"],
] as const;
export const SERVERS: readonly string[] = [...PEERS, ...VARIANTS, ...OURS];

/** Our servers over other transports than a room's socket. They have cases of their own. */
const OURS_OVER_HTTP = [
  ...["logged-sse", "rpc", "rpc-post", "rest", "rest-none", "logged-grpc", "grpc-unary"],
] as const;
/** SignalR's calls that publish to the caller's own room. */
const OURS_PUBLISHING = "signalr-publishes";
/** Actions that change a room's state, which clients see (`state-shown`) or do not. */
const OURS_ACTING = ["state", "state-shown"] as const;

/** A room of much history, and a user in many rooms: `growth` alone has these. */
const OURS_GROWING = ["deep", "one-user"] as const;

export const OURS_ALL: ReadonlySet<string> = new Set([
  ...[...OURS, ...OURS_OVER_HTTP, OURS_PUBLISHING, ...OURS_ACTING, ...OURS_GROWING],
]);

/** What an operation of ours must cost on this platform: the same calls and rows by hand (workers/limits.ts). */
export const LIMIT_OF: ReadonlyMap<string, string> = new Map([
  ...["logged", "acked", "plain"].map((ours) => [ours, "limit"] as const),
  ...["behind", "none"].map((ours) => [ours, "limit-none"] as const),
  ...["signalr", "signalr-plain"].map((ours) => [ours, "limit-relay"] as const),
  ["signalr-publishes", "limit-publishes"],
  ...OURS_ACTING.map((ours) => [ours, "limit-state"] as const),
  ["logged-sse", "limit-sse"],
  ["rpc-post", "limit-rpc"],
  ["grpc-unary", "limit-unary"],
  ["rest", "limit-rest"],
  ["rest-none", "limit-rest-none"],
]);
export const LIMITS: ReadonlySet<string> = new Set(LIMIT_OF.values());

const BY_HAND = ["node-sse", "node-rpc", "node-push", "socket.io-push"];
export const PUBLISHING = ["kestrel-publishes", "limit-publishes", OURS_PUBLISHING];
export const ACTING = ["limit-state", ...OURS_ACTING];
export const ALL_SERVERS: readonly string[] = [
  ...new Set([...SERVERS, ...PUBLISHING, ...ACTING, ...BY_HAND, ...OURS_OVER_HTTP, ...LIMITS]),
];
