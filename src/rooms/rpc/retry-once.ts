// Calls to objects that may be reset during the call: by a crash, a deploy, or a move to another machine.

import { HubError, isUnexpected, publicError } from "../../model/errors.ts";
import { logWarning } from "../../model/logger.ts";
import { formatTopic, type Topic } from "../../model/topic.ts";
import { unlessRefused, type ClientResult } from "./fault.ts";
import type { RoomRpc } from "./room-rpc.ts";

/**
 * Makes the call, and repeats it once after an unexpected error, unless the object is overloaded. `call` must allow
 * that, and needs a fresh stub each time: a stub whose object was reset is broken for good. Throws `unavailable` if
 * both fail.
 */
export async function retryOnce<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (publicError(error).code !== "internal") throw error;
    if (isOverloaded(error)) throw unavailable(error);
  }
  try {
    return await call();
  } catch (error) {
    throw publicError(error).code === "internal" ? unavailable(error) : error;
  }
}

/** Makes a call that must not be repeated. Throws `unavailable` instead of an unexpected error. */
export async function callOnce<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw isUnexpected(error) ? unavailable(error) : error;
  }
}

interface PublishCall<R> {
  readonly topic: Topic;
  /** The topic's room: a fresh stub each time. */
  readonly room: (topic: Topic) => R;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/**
 * Publishes in a room by a call that must not be repeated. If it fails unexpectedly, the room may have crashed between
 * the save and the delivery: a second call in the background wakes it, and it delivers what it has saved.
 */
export async function publishOnce<T, R extends Pick<RoomRpc, "info">>(
  { topic, room, waitUntil }: PublishCall<R>,
  publish: (room: R) => Promise<T>,
): Promise<T> {
  try {
    return await publish(room(topic));
  } catch (error) {
    if (isUnexpected(error) && !isOverloaded(error)) waitUntil(wake(topic, room(topic)));
    throw error;
  }
}

const wake = (topic: Topic, room: Pick<RoomRpc, "info">): Promise<unknown> =>
  room.info().catch((error) => logWarning("room_unreached", { room: formatTopic(topic), error }));

/**
 * The result of a client's method. Throws `interrupted` if the client's object was reset, which may have lost it, and
 * `unavailable` if the object is overloaded: the client is still there, and was not called.
 */
export async function askOnce(call: () => Promise<ClientResult>): Promise<unknown> {
  try {
    return unlessRefused(await call()).result;
  } catch (error) {
    if (!isUnexpected(error)) throw error;
    if (isOverloaded(error)) throw unavailable(error);
    throw new HubError("interrupted", "The client's connection was lost before it answered.", {
      cause: error,
    });
  }
}

const isOverloaded = (error: unknown): boolean =>
  (error as { overloaded?: boolean }).overloaded === true;

const unavailable = (cause: unknown): HubError =>
  new HubError("unavailable", "The room could not be reached; try again.", { cause });
