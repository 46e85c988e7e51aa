// What an operation of the REST interface is: where it stands, what it takes and what it answers. One table of them
// serves requests, checks them, and is the OpenAPI document.

import { z } from "zod";
import type { Asked } from "./hub-request.ts";

export interface Answer {
  readonly status?: number;
  /** As JSON. */
  readonly body?: unknown;
}

/** What the schemas let through. */
export interface Given<Q, B> {
  readonly query: Q;
  readonly body: B;
}

/** How a body is read: JSON as it is, or Azure's message in one of its three encodings. */
export type BodyKind = "json" | "message";

// any: a table of operations has no common type but this one.
// oxlint-disable-next-line typescript/no-explicit-any
export interface Operation<Q = any, B = any> {
  /** OpenAPI's `operationId`. */
  readonly id: string;
  /** `GET` answers `HEAD` as well. */
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** After `/api/hubs/{hub}`, parameters in braces. */
  readonly path: string;
  readonly summary: string;
  readonly query: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  readonly bodyKind: BodyKind;
  /** The status of success. */
  readonly status: 200 | 202 | 204;
  /** What a success says; absent: nothing. */
  readonly answer?: z.ZodType;
  /** Whether there is a 404 for what is not there. */
  readonly finds: boolean;
  handle(asked: Asked, given: Given<Q, B>): Promise<Answer | void>;
}

interface Described<Q extends z.ZodRawShape, B extends z.ZodType> {
  readonly id: string;
  readonly method: Operation["method"];
  readonly path: string;
  readonly summary: string;
  readonly query?: Q;
  readonly body?: B;
  readonly bodyKind?: BodyKind;
  readonly status?: Operation["status"];
  readonly answer?: z.ZodType;
  readonly finds?: boolean;
  handle(asked: Asked, given: Given<z.output<z.ZodObject<Q>>, z.output<B>>): Promise<Answer | void>;
}

/** Azure's own: every operation takes them, whatever their values. */
const COMMON = { "api-version": z.string().max(20).optional() };

export function operation<
  const Q extends z.ZodRawShape = {},
  const B extends z.ZodType = z.ZodType<undefined>,
>({ query, body, ...described }: Described<Q, B>): Operation {
  return {
    bodyKind: "json",
    status: 200,
    finds: false,
    ...described,
    // Names that are not known are left out, as Azure does: its SDKs send some of their own.
    query: z.object({ ...COMMON, ...query }),
    ...(body && { body }),
  };
}

export const Application = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/)
  .optional()
  .describe("Stands before the hub's name, with _ between: the hub {application}_{hub} is meant.");

/** Connections that are not meant; may be repeated. */
export const Excluded = z.array(z.string().max(600)).max(100).optional();

export const Reason = z.string().max(1_000).optional();

/** `$` begins the protocol's own words. */
export const Target = z.string().min(1).max(256).regex(/^[^$]/);

export const Arguments = z.array(z.unknown()).max(100).nullish();

/** Azure's `PayloadMessage`. */
export const Message = z.strictObject({ target: Target, arguments: Arguments });
export type Message = z.output<typeof Message>;

export const Position = z.object({
  epoch: z.string(),
  offset: z.int().min(0),
});
