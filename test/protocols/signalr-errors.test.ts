// Error texts of ASP.NET Core for callers, row by row (docs/design/signalr-wire.md#er1).

import { describe, expect, test } from "vitest";
import { ERRORS } from "../../src/model/error-table.ts";
import { CLOSE, HubError } from "../../src/model/errors.ts";
import type { Stage } from "../../src/model/message.ts";
import { closeMessageOf, failureText } from "../../src/protocols/signalr-errors.ts";

interface Told {
  readonly code: string;
  readonly message?: string;
  readonly stage?: Stage;
  readonly detail?: string;
  /** Whether the server itself threw it. */
  readonly isOwn?: true;
}

const text = ({ code, message = "msg", stage, detail, isOwn }: Told): string => {
  const error = Object.assign(
    new HubError<string>(code, message),
    detail !== undefined && { detail },
    isOwn && { isOwn },
  );
  return failureText({ type: "failure", id: "7", error, target: "X", ...(stage && { stage }) });
};

const COUNT = "InvalidDataException: Invocation provides 1 argument(s) but target expects 2.";
const STREAMING =
  "The client attempted to invoke the streaming 'X' method with a non-streaming invocation.";

describe("what a call failed of", () => {
  test.each<[string, Told, string]>([
    [
      "unknown method",
      { code: "method_not_found", stage: "finding" },
      "Failed to invoke 'X' due to an error on the server. HubException: Method does not exist.",
    ],
    [
      "wrong arguments",
      { code: "invalid_arguments", stage: "binding" },
      "Failed to invoke 'X' due to an error on the server.",
    ],
    [
      "wrong arguments, in detail",
      { code: "invalid_arguments", stage: "binding", detail: COUNT },
      `Failed to invoke 'X' due to an error on the server. ${COUNT}`,
    ],
    [
      "unauthorised method",
      { code: "forbidden", stage: "authorising", isOwn: true },
      "Failed to invoke 'X' because user is unauthorized",
    ],
    [
      "policy threw a HubError",
      { code: "forbidden", stage: "authorising" },
      "Failed to invoke 'X' due to an error on the server. HubException: msg",
    ],
    [
      "method threw a HubError",
      { code: "out_of_stock", stage: "invoking" },
      "An unexpected error occurred invoking 'X' on the server. HubException: msg",
    ],
    [
      "method threw a HubError of a code that has other words elsewhere",
      { code: "forbidden", stage: "invoking" },
      "An unexpected error occurred invoking 'X' on the server. HubException: msg",
    ],
    [
      "no stage is the method's own",
      { code: "method_not_found" },
      "An unexpected error occurred invoking 'X' on the server. HubException: msg",
    ],
    [
      "method threw anything else",
      { code: "internal", stage: "invoking", isOwn: true },
      "An unexpected error occurred invoking 'X' on the server.",
    ],
    [
      "method threw anything else, in detail",
      { code: "internal", detail: "TypeError: x is not a function", isOwn: true },
      "An unexpected error occurred invoking 'X' on the server. TypeError: x is not a function",
    ],
    [
      "invoke on a streaming method",
      { code: "wrong_kind", message: STREAMING, stage: "binding", isOwn: true },
      STREAMING,
    ],
    [
      "id in use",
      { code: "duplicate_id", message: "Call 7 is running.", stage: "finding", isOwn: true },
      "Invocation ID '7' is already in use.",
    ],
    [
      "stream's id in use",
      { code: "duplicate_id", message: "Invocation ID 's\n9' is already in use.", isOwn: true },
      "Invocation ID 's\n9' is already in use.",
    ],
    [
      "stream threw a HubError",
      { code: "sold_out", stage: "streaming" },
      "An error occurred on the server while streaming results. HubException: msg",
    ],
    [
      "stream threw anything else",
      { code: "internal", stage: "streaming", isOwn: true },
      "An error occurred on the server while streaming results.",
    ],
    [
      "stream threw anything else, in detail",
      { code: "internal", stage: "streaming", detail: "Error: e", isOwn: true },
      "An error occurred on the server while streaming results. Error: e",
    ],
    [
      "refused before the method was looked for",
      { code: "rate_limited", stage: "finding" },
      "Failed to invoke 'X' due to an error on the server. HubException: msg",
    ],
    [
      "refused by an authoriser's own error",
      { code: "unauthorized", stage: "authorising" },
      "Failed to invoke 'X' due to an error on the server. HubException: msg",
    ],
    [
      "refused before the method ran",
      { code: "too_many_streams", stage: "binding" },
      "Failed to invoke 'X' due to an error on the server. HubException: msg",
    ],
    [
      "an authoriser that fails",
      { code: "internal", stage: "authorising", isOwn: true },
      "Failed to invoke 'X' due to an error on the server.",
    ],
    [
      "item that does not bind",
      { code: "invalid_item", isOwn: true },
      "An unexpected error occurred invoking 'X' on the server. HubException: Failed to bind Stream message.",
    ],
    ["stream that a service ended", { code: "ended", isOwn: true }, "msg"],
  ])("%s", (_situation, told, expected) => {
    expect(text(told)).toBe(expected);
  });

  test.each(Object.keys(ERRORS))("method or stream threw a HubError of the code %s", (code) => {
    expect([
      text({ code, stage: "invoking", detail: "HubError: msg" }),
      text({ code, stage: "streaming" }),
    ]).toEqual([
      "An unexpected error occurred invoking 'X' on the server. HubException: msg",
      "An error occurred on the server while streaming results. HubException: msg",
    ]);
  });
});

describe("how a connection ends", () => {
  const error = "Connection closed with an error.";
  test.each<[keyof typeof CLOSE, object, object]>([
    ["normal", {}, {}],
    ["aborted", {}, {}],
    ["expired", { allowReconnect: true }, { allowReconnect: true }],
    ["gone", { error }, { error }],
    ["failed", { error }, { error: `${error} E: x` }],
    ["slow", { error, allowReconnect: true }, { error: `${error} E: x`, allowReconnect: true }],
    ["silent", { error, allowReconnect: true }, { error: `${error} E: x`, allowReconnect: true }],
    ["flooding", { error, allowReconnect: true }, { error: `${error} E: x`, allowReconnect: true }],
    [
      "malformed",
      { error, allowReconnect: true },
      { error: `${error} E: x`, allowReconnect: true },
    ],
  ])("%s, without a detail and with one", (why, plain, detailed) => {
    expect([closeMessageOf(CLOSE[why]), closeMessageOf(CLOSE[why], "E: x")]).toEqual([
      plain,
      detailed,
    ]);
  });
});
