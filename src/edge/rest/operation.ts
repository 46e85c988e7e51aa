// The type of an operation of the REST interface: its path, its input and its answer. One table of operations
// (index.ts) is the router, the validation and the OpenAPI document.

import * as z from "zod/mini";
import type { AzureCode } from "./azure-errors.ts";
import type { HubRequest } from "./hub-request.ts";
import { Application } from "./operation-schemas.ts";

/** Absent fields are the operation's defaults: its own status, an empty body. */
export interface Answer {
  readonly status?: number;
  /** Written as JSON; bytes are JSON already. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Query and body after validation, with defaults filled in. */
interface Given<Q, B> {
  readonly query: Q;
  readonly body: B;
}

/** How a body is read: as JSON, or as Azure's message in one of its three encodings (rest-body.ts). */
export type BodyKind = "json" | "message";

// One row of the table. A row is the only place that has its path, its schemas and its prose: the router, the
// validation and the OpenAPI document all read them from it.
// any: a table of operations has no common type but this one.
// oxlint-disable-next-line typescript/no-explicit-any
export interface Operation<Q = any, B = any> {
  /** OpenAPI's `operationId`: stable, because generated clients name their methods after it. */
  readonly id: string;
  /** `GET` answers `HEAD` as well. */
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** After `/api/hubs/{hub}`, parameters in braces. */
  readonly path: string;
  readonly summary: string;
  readonly query: z.ZodMiniType<Q>;
  readonly body?: z.ZodMiniType<B>;
  readonly bodyKind: BodyKind;
  /** The status of success. */
  readonly status: 200 | 202 | 204;
  /** The body of a success; absent: it is empty. */
  readonly answer?: z.ZodMiniType;
  /** Whether a 404 may also mean that the resource of the path does not exist; documentation only. */
  readonly finds: boolean;
  /** Whether the operation reads the header `Idempotency-Key`; documentation only. */
  readonly isKeyed: boolean;
  /** The header that makes it depend on the room's position: the answer may be 304 or 412. Documentation only. */
  readonly condition?: "If-Match" | "If-None-Match";
  /** The most bytes of a body. Default: 1 MiB. */
  readonly bodyBytes?: number;
  /** Azure's code for a 404 of this operation, if its SDKs read one. */
  readonly missing?: AzureCode;
  /** Runs after authentication, rate limits and validation. A thrown `HubError` becomes Azure's error document. */
  handle(hub: HubRequest, given: Given<Q, B>): Promise<Answer | void>;
}

interface Description<Q extends z.core.$ZodShape, B extends z.ZodMiniType> {
  readonly id: string;
  readonly method: Operation["method"];
  readonly path: string;
  readonly summary: string;
  readonly query?: Q;
  readonly body?: B;
  readonly bodyKind?: BodyKind;
  readonly status?: Operation["status"];
  readonly answer?: z.ZodMiniType;
  readonly finds?: boolean;
  readonly isKeyed?: boolean;
  readonly condition?: NonNullable<Operation["condition"]>;
  readonly bodyBytes?: number;
  readonly missing?: AzureCode;
  handle(
    hub: HubRequest,
    given: Given<z.output<z.ZodMiniObject<Q>>, z.output<B>>,
  ): Promise<Answer | void>;
}

/** Azure's SDKs send `api-version` with every request; every value is accepted. */
const COMMON = { "api-version": z.optional(z.string().check(z.maxLength(20))) };

/** Defines an operation. Defaults: a JSON body, if any; status 200; no 404 of its own. */
export function operation<
  const Q extends z.core.$ZodShape = {},
  const B extends z.ZodMiniType = z.ZodMiniType<undefined>,
>({ query, body, ...described }: Description<Q, B>): Operation {
  return {
    bodyKind: "json",
    status: 200,
    finds: false,
    isKeyed: false,
    ...described,
    // Unknown parameters are ignored, as Azure does: its SDKs send some of their own.
    query: z.object({ ...COMMON, ...query }),
    ...(body && { body }),
  };
}

/** An operation of Azure SignalR Service's data plane: it also takes `application`. */
export function azureOperation<
  const Q extends z.core.$ZodShape = {},
  const B extends z.ZodMiniType = z.ZodMiniType<undefined>,
>(described: Description<Q, B>): Operation {
  const made = operation(described);
  const query = made.query as z.ZodMiniObject<z.core.$ZodShape>;
  return { ...made, query: z.extend(query, { application: Application }) };
}
