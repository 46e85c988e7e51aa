// Which error codes compile, inside src and in applications. Compiled by `npm run types`; never run.
// oxlint-disable no-new -- the constructor's parameters are what is tested

import { HubError as BackendError } from "../../src/client/backend/index.ts";
import type { ClientErrorCode } from "../../src/client/model/client-errors.ts";
import { HubError as ClientError } from "../../src/client/index.ts";
import { HubError as OpenError, type ErrorCode as PublicCode } from "../../src/hub.ts";
import { ERRORS, GRPC, type ErrorCode, type ErrorRow } from "../../src/model/error-table.ts";
import { HubError } from "../../src/model/errors.ts";
import { expect, type Equal } from "./equal.ts";

expect<Equal<PublicCode, ErrorCode>>();
expect<Equal<string extends ErrorCode ? false : true, true>>();

// Inside src: a code of the table, or one that is declared to be another.
new HubError("forbidden", "");
// @ts-expect-error a code without a row
new HubError("no_such_code", "");
declare const code: string;
// @ts-expect-error any text at all
new HubError(code, "");
// @ts-expect-error a code that is a client's own
new HubError("queue_full", "");
// @ts-expect-error a code without a row, where another part of src expects an error
[7].map((): HubError => new HubError("no_such_code", ""));
new HubError<ClientErrorCode>("queue_full", "");
// @ts-expect-error a code that no client has
new HubError<ClientErrorCode>("no_such_code", "");
new HubError<string>(code, "");
class Narrow extends HubError {}
// @ts-expect-error a code without a row, by a class of ours
new Narrow("no_such_code", "");

// In applications: any code, and the known ones are offered.
new OpenError("teapot", "");
new OpenError(code, "", { cause: 1 });
new ClientError("teapot", "");
new BackendError("teapot", "");
class Teapot extends OpenError {}
new Teapot("teapot", "") satisfies OpenError;
declare const error: unknown;
if (error instanceof OpenError) error.code satisfies string;
// @ts-expect-error a code is text
new OpenError(7, "");

// Every code has its row, and every row is whole.
ERRORS satisfies Record<ErrorCode, ErrorRow>;
const { forbidden: _, ...others } = ERRORS;
// @ts-expect-error the row of `forbidden` is missing
others satisfies Record<ErrorCode, ErrorRow>;
// @ts-expect-error no HTTP status
({ jsonRpc: -32000, grpc: GRPC.internal }) satisfies ErrorRow;
// @ts-expect-error no number for JSON-RPC
({ http: 500, grpc: GRPC.internal }) satisfies ErrorRow;
// @ts-expect-error no code of gRPC
({ http: 500, jsonRpc: -32000 }) satisfies ErrorRow;
// @ts-expect-error no code of gRPC has this number
({ http: 500, jsonRpc: -32000, grpc: 17 }) satisfies ErrorRow;
