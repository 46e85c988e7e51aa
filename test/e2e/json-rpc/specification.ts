// What the JSON-RPC 2.0 specification (https://www.jsonrpc.org/specification) has answered with what. Numbers and ids
// are the specification's; sentences are ours, as it allows, and `data.code` stands beside them.

import { expect } from "vitest";

/** A text, and what it is answered with: nothing, or one answer. */
export type Row = [title: string, text: string, answers: unknown[]];

const result = (id: unknown, value: unknown) => ({ jsonrpc: "2.0", id, result: value });
const error = (id: unknown, code: number, name: string) => ({
  ...{ jsonrpc: "2.0", id },
  error: { code, message: expect.stringMatching(/./), data: { code: name } },
});
const PARSE_ERROR = error(null, -32700, "malformed");
const INVALID_REQUEST = error(null, -32600, "invalid_request");

/** Section 7, line by line. Its notifications are of methods that say what they were given. */
export const EXAMPLES: Row[] = [
  [
    "rpc call with positional parameters",
    '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}',
    [result(1, 19)],
  ],
  [
    "rpc call with positional parameters, the other way round",
    '{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}',
    [result(2, -19)],
  ],
  [
    "rpc call with named parameters",
    '{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}',
    [result(3, 19)],
  ],
  [
    "rpc call with named parameters in another order",
    '{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}',
    [result(4, 19)],
  ],
  ["a notification", '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', []],
  ["a notification of a method that is not there", '{"jsonrpc": "2.0", "method": "foobar"}', []],
  [
    "rpc call of non-existent method",
    '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}',
    [error("1", -32601, "method_not_found")],
  ],
  [
    "rpc call with invalid JSON",
    '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
    [PARSE_ERROR],
  ],
  [
    "rpc call with invalid Request object",
    '{"jsonrpc": "2.0", "method": 1, "params": "bar"}',
    [INVALID_REQUEST],
  ],
  [
    "rpc call Batch, invalid JSON",
    `[
      {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
      {"jsonrpc": "2.0", "method"
    ]`,
    [PARSE_ERROR],
  ],
  ["rpc call with an empty Array", "[]", [INVALID_REQUEST]],
  ["rpc call with an invalid Batch (but not empty)", "[1]", [[INVALID_REQUEST]]],
  ["rpc call with invalid Batch", "[1,2,3]", [[INVALID_REQUEST, INVALID_REQUEST, INVALID_REQUEST]]],
  [
    "rpc call Batch",
    `[
      {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
      {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
      {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
      {"foo": "boo"},
      {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
      {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
    ]`,
    [
      [
        result("1", 7),
        result("2", 19),
        INVALID_REQUEST,
        error("5", -32601, "method_not_found"),
        result("9", ["hello", 5]),
      ],
    ],
  ],
  [
    "rpc call Batch (all notifications)",
    `[
      {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
      {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
    ]`,
    [],
  ],
];

/** What the specification says elsewhere, in sections 4 to 6. */
export const RULES: Row[] = [
  [
    "an id of null makes a request",
    '{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": null}',
    [result(null, 19)],
  ],
  [
    "an id may have a fraction",
    '{"jsonrpc": "2.0", "method": "get_data", "id": 1.5}',
    [result(1.5, ["hello", 5])],
  ],
  ["an id is no object", '{"jsonrpc": "2.0", "method": "get_data", "id": {}}', [INVALID_REQUEST]],
  [
    "params are structured",
    '{"jsonrpc": "2.0", "method": "get_data", "params": "bar", "id": "1"}',
    [error("1", -32600, "invalid_request")],
  ],
  [
    "another version is refused",
    '{"jsonrpc": "1.0", "method": "get_data", "id": "1"}',
    [error("1", -32600, "invalid_request")],
  ],
  [
    "params that do not fit are told from a missing method",
    '{"jsonrpc": "2.0", "method": "sum", "params": [1], "id": "1"}',
    [error("1", -32602, "invalid_arguments")],
  ],
  [
    "a notification with wrong params is not answered",
    '{"jsonrpc": "2.0", "method": "update"}',
    [],
  ],
  [
    "nor is one of the protocol's own",
    '{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": [1]}',
    [],
  ],
  ["nor is an answer, though nobody asked", '{"jsonrpc": "2.0", "result": 19, "id": 1}', []],
  [
    "nor is an error, also without an id",
    '{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}',
    [],
  ],
];

/** What notifications say of themselves, by the example they stand in. */
export const CARRIED_OUT: [title: string, heard: unknown[]][] = [
  ["a notification", [["update", [1, 2, 3, 4, 5]]]],
  ["rpc call Batch", [["notify_hello", [7]]]],
  [
    "rpc call Batch (all notifications)",
    [
      ["notify_sum", [1, 2, 4]],
      ["notify_hello", [7]],
    ],
  ],
];
