// Bounds of the texts that clients choose, the same in every protocol.

import { MAX_NAME_LENGTH } from "../model/topic.ts";

/** Whether a value may name something: a method, a stream, an invocation. */
export const isName = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= MAX_NAME_LENGTH;

/** A client's error text, cut to 1,000 UTF-16 units: it may reach logs and other clients. */
export const errorText = (text: string): string => text.slice(0, 1000);
