// What is no hub is refused where it is declared, with the hub, the member, and how to declare it.

import { describe, expect, it } from "vitest";
import * as z from "zod";
import { action, internal } from "../../../src/dispatch/define/action-definition.ts";
import { clientMethods } from "../../../src/dispatch/define/client-methods.ts";
import {
  authorize,
  hub,
  method,
  returns,
  stream,
  streamOf,
  type AnyHub,
} from "../../../src/dispatch/define/hub-definition.ts";
import { servedHub, tablesOf } from "../../../src/dispatch/define/hub-tables.ts";
import { named } from "../../../src/dispatch/define/named-arguments.ts";
import { claim, every, role, signedIn, some } from "../../../src/dispatch/define/policies.ts";

/** What JavaScript lets through. */
// oxlint-disable-next-line typescript/no-explicit-any -- stands for values without types
const untyped = (value: unknown) => value as any;

const declared = (name: string, member: unknown) =>
  hub("chat").methods(untyped({ [name]: member }));
const schema = z.object({ n: z.number() });
const rooms = () => hub("chat").state("group", { schema, initial: { n: 1 } });

describe("a member", () => {
  const asMethod = "Declare it as method([schema, …], handler).";

  it.each([
    ["a function", () => 1, "it is not a method"],
    ["undefined", undefined, "it is not a method"],
    ["an action", action([], () => 1), "it is not a method"],
    [
      "a schema instead of an array",
      method(untyped(z.string()), () => 1),
      "its schemas are not an array",
    ],
    [
      "a schema that was not made",
      method([z.int(), untyped(z.string)], () => 1),
      "argument 2 is not a Standard Schema",
    ],
    [
      "a named one",
      method([named("a", untyped(z.string))], () => 1),
      "argument 1 is not a Standard Schema",
    ],
    [
      "a stream of one",
      method([streamOf(untyped({}))], () => 1),
      "argument 1 is not a Standard Schema",
    ],
    ["null as a schema", method([untyped(null)], () => 1), "argument 1 is not a Standard Schema"],
    [
      "a result",
      returns(untyped(z.string)).method([], () => ""),
      "its result is not a Standard Schema",
    ],
    ["no handler", method([], untyped(undefined)), "its handler is not a function"],
    [
      "a policy that is not made",
      authorize(untyped(role)).method([], () => 1),
      'authorize(…) takes a policy, such as role("Admin")',
    ],
    [
      "undefined as policy, as of modules in a circle",
      authorize(untyped(undefined)).method([], () => 1),
      'authorize(…) takes a policy, such as role("Admin")',
    ],
    [
      "a text as policy",
      authorize(untyped("Admin")).method([], () => 1),
      'authorize(…) takes a policy, such as role("Admin")',
    ],
  ])("that is %s is refused", (_, member, problem) => {
    const error = new TypeError(`Hub "chat": say: ${problem}. ${asMethod}`);
    expect(() => declared("say", member)).toThrow(error);
  });

  it("of rooms with state is an action, or internal", () => {
    expect(() => rooms().actions(untyped({ go: method([], () => 1) }))).toThrow(
      new TypeError(
        'Hub "chat": go: it is not an action. Declare it as action([schema, …], handler).',
      ),
    );
    expect(() => rooms().internal(untyped({ go: action([], () => 1) }))).toThrow(
      new TypeError(
        'Hub "chat": go: it is not an internal action. Declare it as internal([schema, …], handler).',
      ),
    );
  });

  it("that waits is no action", () => {
    const sentence =
      'Hub "chat": go is async: an action is synchronous. Await in a method, then run the action.';
    const waits = async () => 1;
    expect(() => rooms().actions(untyped({ go: action([], waits) }))).toThrow(sentence);
    expect(() => rooms().internal(untyped({ go: internal([], waits) }))).toThrow(sentence);
  });

  it("that is a generator without async is no stream", () => {
    function* now() {
      yield 1;
    }
    expect(() => declared("go", stream([], untyped(now)))).toThrow(
      new TypeError('Hub "chat": go is a generator that is not async: `async function*`.'),
    );
  });

  it.each(["then", "toJSON", "", "$/join", "rpc.discover"])(
    'is not named "%s", which is reserved',
    (name) => {
      const error = new TypeError(`Hub "chat": "${name}" is a reserved name.`);
      expect(() =>
        declared(
          name,
          method([], () => 1),
        ),
      ).toThrow(error);
    },
  );

  it.each(["constructor", "toString", "grüße", "名前", "$", "hasOwnProperty"])(
    'may be named "%s"',
    (name) => {
      expect(
        servedHub(
          declared(
            name,
            method([], () => 1),
          ),
        ).members.has(name),
      ).toBe(true);
    },
  );

  const standard = z.string()["~standard"];

  it.each([
    ["a function", Object.assign(() => "", { "~standard": standard })],
    [
      "made at its first use",
      new Proxy({}, { get: (_, key) => (key === "~standard" ? standard : undefined) }),
    ],
    ["without a prototype", Object.assign(Object.create(null), { "~standard": standard })],
  ])("may have a schema that is %s", (_, text) => {
    expect(() =>
      declared(
        "say",
        method([untyped(text)], () => 1),
      ),
    ).not.toThrow();
  });
});

describe("a served hub", () => {
  const noSchema = untyped(z.boolean);

  it.each([
    ["the schema of confirm is not", hub("chat", untyped({ answers: { confirm: noSchema } }))],
    ["the schema of presenceState is not", hub("chat").presenceState(noSchema)],
    ["the schema of state is not", hub("chat").state("group", untyped({ schema: {}, initial: 1 }))],
    [
      "the client method said has a reserved name, or an argument that is not",
      hub("chat", untyped({ client: clientMethods({ said: [noSchema] }) })),
    ],
    [
      "the client method text has a reserved name, or an argument that is not",
      hub("chat", untyped({ client: clientMethods(untyped({ text: z.string() })) })),
    ],
    [
      "the client method flag has a reserved name, or an argument that is not",
      hub("chat", untyped({ client: clientMethods(untyped({ flag: true })) })),
    ],
    [
      "the client method none has a reserved name, or an argument that is not",
      hub("chat", untyped({ client: { clientMethods: { none: null } } })),
    ],
    [
      "the client method toJSON has a reserved name, or an argument that is not",
      hub("chat", untyped({ client: clientMethods({ toJSON: [] }) })),
    ],
  ])("has schemas: %s a Standard Schema", (place, builder) => {
    const chat = untyped(builder).methods({});
    expect(() => servedHub(chat)).toThrow(new TypeError(`Hub "chat": ${place} a Standard Schema.`));
  });

  it("has each action once", () => {
    const go = action([], () => 1);
    expect(() => rooms().actions(untyped({ go })).actions(untyped({ go }))).toThrow(
      new TypeError('Hub "chat": "go" is declared twice.'),
    );
    expect(() => rooms().actions(untyped({ constructor: go }))).not.toThrow();
  });

  it.each([
    ["undefined", undefined],
    ["object", hub("chat")],
  ])("is complete: %s", (kind, value) => {
    const sentence = `This is not a hub, but ${kind}: end with .methods({ … }), and import no module in a circle.`;
    expect(() => tablesOf([untyped(value)])).toThrow(new TypeError(sentence));
  });

  it("has a name of its own", () => {
    const chat: AnyHub = hub("chat").methods({});
    expect(() => tablesOf([chat, hub("other").methods({}), chat])).toThrow(
      new TypeError('Two hubs have the same name: "chat".'),
    );
  });

  it("has no two members that differ in case only", () => {
    const go = method([], () => 1);
    expect(() => servedHub(hub("chat").methods(untyped({ go, Go: go })))).toThrow(
      new TypeError(`Hub "chat": Duplicate definitions of 'Go'. Overloading is not supported.`),
    );
  });

  it("has objects as filters", () => {
    class Logging {
      invoke = (_call: unknown, next: () => Promise<unknown>) => next();
    }
    const sentence = 'Hub "chat": a filter is an object, such as { invoke(call, next) { … } }.';
    for (const filter of [Logging, (_call: unknown, next: () => unknown) => next(), null]) {
      const filtered = hub("chat").use(untyped(filter)).methods({});
      expect(() => servedHub(filtered)).toThrow(new TypeError(sentence));
    }
    // As a class with static members.
    const withMember = Object.assign(() => {}, { invoke: new Logging().invoke });
    for (const filter of [new Logging(), withMember, {}])
      expect(() => servedHub(hub("chat").use(untyped(filter)).methods({}))).not.toThrow();
  });
});

it.each([
  ["role", role],
  ["claim", claim],
  ["every", every],
  ["some", some],
])("a policy that is not made, `authorize: %s`, allows nothing", (_, policy) => {
  const call = { hub: "chat", user: null, args: [], env: {}, waitUntil: () => {} };
  expect(() => untyped(policy)(call)).toThrow(TypeError);
});

it("a policy is made of texts, or of policies", () => {
  expect(() => role(untyped(["Admin"]))).toThrow(TypeError);
  expect(() => every(signedIn, untyped("Admin"))).toThrow(TypeError);
  expect(() => every(signedIn, untyped(role))).toThrow(TypeError);
  expect(() => some(signedIn, role("Admin"))).not.toThrow();
});
