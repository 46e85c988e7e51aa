// What went wrong, as Azure's error document: `code` is ours and stable, in the body and in two headers.

import { Refusal, refusalResponse } from "../../auth/authenticate.ts";
import { httpStatusOf } from "../../model/error-table.ts";
import { publicError } from "../../model/errors.ts";
import { logError } from "../../model/logger.ts";
import { isOverload } from "../answer/overload.ts";
import { RateLimited } from "./service-rate.ts";

export function failed(error: unknown): Response {
  if (error instanceof Refusal) {
    const { status, headers } = refusalResponse(error);
    return told(error, status, Object.fromEntries(headers));
  }
  if (isOverload(error as Error)) return told(UNAVAILABLE, 503, { "retry-after": "2" });
  const shown = publicError(error);
  if (shown.code === "internal") logError("request_failed", { error });
  const wait = error instanceof RateLimited ? error.seconds : 1;
  const status = httpStatusOf(shown.code);
  const retry = status === 429 || status === 503 ? { "retry-after": String(wait) } : {};
  return told(shown, status, retry);
}

const UNAVAILABLE = { code: "unavailable", message: "The hub's objects have too much to do." };

function told(
  { code, message }: { code: string; message: string },
  status: number,
  headers: Record<string, string>,
): Response {
  const document = { code, message, target: null, details: [], inner: null };
  const own = { "cache-control": "no-store", "x-ms-error-code": code, "x-dormouse-error": code };
  return Response.json(document, { status, headers: { ...headers, ...own, ...JSON_TYPE } });
}

const JSON_TYPE = { "content-type": "application/json" };
