// Error texts of ASP.NET Core for callers, row by row (docs/design/signalr-wire.md#er1).

import { describe, expect, test } from "vitest";
import { CLOSE, HubError } from "../../src/model/errors.ts";
import type { Stage } from "../../src/model/message.ts";
import { closeMessageOf, failureText } from "../../src/protocols/signalr-errors.ts";

interface Told {
  readonly code: string;
  readonly message?: string;
  readonly stage?: Stage;
  readonly detail?: string;
}

const text = ({ code, message = "msg", stage, detail }: Told): string => {
  const error = Object.assign(
    new HubError<string>(code, message),
    detail !== undefined && { detail },
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
      { code: "forbidden", stage: "authorising" },
      "Failed to invoke 'X' because user is unauthorized",
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
      { code: "internal", stage: "invoking" },
      "An unexpected error occurred invoking 'X' on the server.",
    ],
    [
      "method threw anything else, in detail",
      { code: "internal", detail: "TypeError: x is not a function" },
      "An unexpected error occurred invoking 'X' on the server. TypeError: x is not a function",
    ],
    [
      "invoke on a streaming method",
      { code: "wrong_kind", message: STREAMING, stage: "binding" },
      STREAMING,
    ],
    [
      "id in use",
      { code: "duplicate_id", message: "Call 7 is running.", stage: "finding" },
      "Invocation ID '7' is already in use.",
    ],
    [
      "stream's id in use",
      { code: "duplicate_id", message: "Invocation ID 's\n9' is already in use." },
      "Invocation ID 's\n9' is already in use.",
    ],
    [
      "stream threw a HubError",
      { code: "sold_out", stage: "streaming" },
      "An error occurred on the server while streaming results. HubException: msg",
    ],
    [
      "stream threw anything else",
      { code: "internal", stage: "streaming" },
      "An error occurred on the server while streaming results.",
    ],
    [
      "stream threw anything else, in detail",
      { code: "internal", stage: "streaming", detail: "Error: e" },
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
      { code: "internal", stage: "authorising" },
      "Failed to invoke 'X' due to an error on the server.",
    ],
  ])("%s", (_situation, told, expected) => {
    expect(text(told)).toBe(expected);
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
