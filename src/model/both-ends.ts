// What the server and our own client both keep to. Apart from options.ts, so that pages do not load the server's limits.

/** The heartbeat objects answer asleep, both ways: SignalR's JSON ping. */
export const PING = '{"type":6}\u001e';

/** Seconds between heartbeats, until the server says otherwise. */
export const PING_SECONDS = 15;

/** Bytes of one frame to the server. SignalR's own default; OWASP advises 64 KiB at most. */
export const MESSAGE_BYTES = 32 * 1024;

/** Messages in one frame to the server: each costs a dispatch. */
export const MESSAGES_A_FRAME = 100;
