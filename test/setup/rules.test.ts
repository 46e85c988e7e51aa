// The rules of a worker's configuration, one by one: which facts they object to, and the lines that mend them.

import { describe, expect, it } from "vitest";
import type { Facts, WorkerFiles } from "../../src/setup/facts.ts";
import { described, list } from "../../src/setup/problem.ts";
import { problemsOf } from "../../src/setup/rules.ts";

const DAY = "2026-10-01";
const FLAGS = ["no_web_socket_compression", "enable_request_signal"];
const VARIABLES = {
  JWT_SECRET: "a secret of the tests, 32 bytes or more",
  JWT_ISSUER: "me",
  JWT_AUDIENCE: "tests",
};

const NAMES = ["ROOMS", "RELAYS", "ACCOUNTS"];
const CLASSES = ["Room", "Relay", "Account"];
const declared = { type: "durable-object", storage: "sqlite" };

const FILES: WorkerFiles = {
  vars: { JWT_ISSUER: "me", JWT_AUDIENCE: "tests" },
  durable_objects: {
    bindings: NAMES.map((name, at) => ({ name, class_name: CLASSES[at]! })),
  },
  exports: Object.fromEntries(CLASSES.map((name) => [name, declared])),
  mainExports: ["default", ...CLASSES],
};

interface Changes extends Partial<Omit<Facts, "files">> {
  readonly date?: string;
  readonly flags?: readonly string[];
  readonly files?: Partial<WorkerFiles>;
}

function facts({ date = DAY, flags = FLAGS, files, ...changes }: Changes = {}): Facts {
  return {
    variables: VARIABLES,
    bound: () => "namespace",
    areSame: () => false,
    isOn: (flag, since) => flags.includes(flag) || (since !== undefined && date >= since),
    ...changes,
    ...(files && { files: { ...FILES, ...files } }),
  };
}

/** Level and first line of each problem. */
const found = (changes: Changes) =>
  problemsOf(facts(changes)).map(({ level, text }) => `${level}: ${text}`);

it("nothing is wrong with a worker as docs/worker.md has it", () => {
  expect(problemsOf(facts())).toEqual([]);
  expect(problemsOf(facts({ files: {} }))).toEqual([]);
});

describe("the admin page", () => {
  const variables = { ...VARIABLES, ADMIN: "1" };
  const noFiles =
    "advice: ADMIN is 1, but the static files are not bound as ASSETS: /admin would be 404.";

  it("needs the static files, in a worker that runs and before a deploy", () => {
    expect(found({ variables })).toEqual([noFiles]);
    expect(found({ variables: { ...variables, ASSETS: {} } })).toEqual([]);
    expect(found({ variables, files: {} })).toEqual([noFiles]);
    const assets = { binding: "ASSETS", run_worker_first: true };
    expect(found({ variables, files: { assets } })).toEqual([]);
  });

  it("leaves the folder of static files as it is, where there is one", () => {
    const assets = { directory: "dist", run_worker_first: true };
    const [problem] = problemsOf(facts({ variables, files: { assets } }));
    expect(problem!.fix!.lines).toBe('[assets]\nbinding = "ASSETS"');
  });

  it("is served by the worker, and by no file beside it", () => {
    const endpoint = ["/hubs/*", "/parties/*", "/client/*", "/api/*", "/dormouse.v1.Hub/*"];
    const first = [...endpoint, "/grpc.health.v1.Health/*"];
    const of = (run_worker_first: readonly string[]) => {
      const assets = { binding: "ASSETS", run_worker_first };
      return found({ variables, files: { vars: { ADMIN: "1" }, assets } });
    };
    expect(of(first)).toEqual([
      "advice: Requests for /admin, /admin/* check for a static file first.",
    ]);
    expect(of([...first, "/admin", "/admin/*"])).toEqual([]);
  });
});

describe("bindings", () => {
  it("that are missing, or are of another kind, are named with their lines", () => {
    const bound = (name: string) =>
      name === "ROOMS" ? "nothing" : name === "RELAYS" ? "another thing" : "namespace";
    const [rooms, relays, ...others] = problemsOf(facts({ bound }));
    expect([described(rooms!), described(relays!), others]).toEqual([
      'The binding ROOMS is missing. In wrangler.toml:\n    [[durable_objects.bindings]]\n    name = "ROOMS"\n    class_name = "Room"',
      'The binding RELAYS is not a namespace of Durable Objects. In wrangler.toml:\n    [[durable_objects.bindings]]\n    name = "RELAYS"\n    class_name = "Relay"',
      [],
    ]);
  });

  it("have a class each", () => {
    const areSame = (one: string, other: string) => [one, other].join() === "ROOMS,ACCOUNTS";
    expect(found({ areSame })).toEqual([
      "error: The bindings ROOMS and ACCOUNTS name the same class; ROOMS is for Room, ACCOUNTS for Account.",
    ]);
  });

  it("name classes that main exports, under whatever name", () => {
    const bindings = [{ name: "ROOMS", class_name: "ChatRoom" }];
    const exports = { ChatRoom: declared };
    const files = { durable_objects: { bindings }, exports, mainExports: ["Room"] };
    const [problem, ...others] = problemsOf(facts({ files }));
    expect([described(problem!), others]).toEqual([
      "The class ChatRoom of the binding ROOMS is not exported by main. In the worker's main module:\n    export { Room as ChatRoom }; // of const { Room, … } = serve(…)",
      [],
    ]);
  });

  it("are declared where the file declares its other classes: wrangler refuses both ways in one file", () => {
    const linesWith = (files: Partial<WorkerFiles>) =>
      problemsOf(facts({ files: { exports: {}, ...files } })).map(({ fix }) => fix!.lines)[0];
    expect(linesWith({})).toBe('[exports.Room]\ntype = "durable-object"\nstorage = "sqlite"');
    expect(linesWith({ migrations: [{ new_sqlite_classes: ["Other"] }] })).toBe(
      '[[migrations]]\ntag = "add-Room"\nnew_sqlite_classes = ["Room"]',
    );
  });

  it.each<[string, Partial<WorkerFiles>, string[]]>([
    [
      "declared nowhere",
      { exports: {} },
      CLASSES.map((name) => `error: The class ${name} is not declared as a Durable Object.`),
    ],
    [
      "of the old storage",
      { exports: {}, migrations: [{ new_classes: CLASSES }] },
      CLASSES.map((name) => `error: The class ${name} has no storage in SQLite.`),
    ],
    ["of migrations", { exports: {}, migrations: [{ new_sqlite_classes: CLASSES }] }, []],
    [
      "of another worker",
      {
        exports: {},
        mainExports: [],
        durable_objects: {
          bindings: NAMES.map((name) => ({ name, class_name: "X", script_name: "other" })),
        },
      },
      [],
    ],
    [
      "unknown",
      { mainExports: "worker.ts cannot be bundled." },
      ["error: worker.ts cannot be bundled."],
    ],
  ])("may name classes that are %s", (_, files, problems) => {
    expect(found({ files })).toEqual(problems);
  });
});

describe("the platform", () => {
  it.each(["", "2025-01-01", "2026-09-30"])("is too old at the date %j", (date) => {
    expect(found({ date })).toEqual([`error: The compatibility date is before ${DAY}.`]);
  });

  it("is new enough with the flags of the date", () => {
    const own = ["enhanced_error_serialization", "durable_object_io_tasks_prevent_eviction"];
    expect(found({ date: "2026-01-01", flags: [...FLAGS, ...own] })).toEqual([]);
  });

  it("is asked for flags that are missing, in one line", () => {
    const [problem] = problemsOf(facts({ flags: [] }));
    expect([problem!.level, problem!.fix!.lines]).toEqual([
      "advice",
      'compatibility_flags = ["no_web_socket_compression", "enable_request_signal"]',
    ]);
    const [one] = problemsOf(facts({ flags: FLAGS.slice(1) }));
    expect(one!.text).toMatch(/no_web_socket_compression(?!.*enable_request_signal)/);
    expect(one!.fix).toEqual(problem!.fix);
  });
});

describe("variables", () => {
  it.each<[object, string[]]>([
    [{ JWT_SECRET: "short" }, ["error: JWT_SECRET is under 32 bytes."]],
    [
      { JWT_ISSUER: "", ALLOWED_ORIGINS: "*" },
      [
        "error: JWT_ISSUER is missing.",
        "error: ALLOWED_ORIGINS has an entry which is not an origin, such as https://app.example.",
      ],
    ],
    [
      { ACCESS_KEYS: "a,b,c" },
      ["error: ACCESS_KEYS has over 2 keys.", "error: ACCESS_KEYS has a key of under 32 bytes."],
    ],
    [
      { WEBHOOK_URL: "http://x.example", WEBHOOK_EVENTS: "said" },
      [
        "error: WEBHOOK_SECRET is missing.",
        "error: WEBHOOK_URL is not https.",
        "error: WEBHOOK_EVENTS has a name other than connected, disconnected, joined, left, message.",
      ],
    ],
    [{ JWT_ISSUER: 7 }, ["error: JWT_ISSUER is not a string: write its value in quotes."]],
    [
      { LOG_CONNECTIONS: 1 },
      ['advice: LOG_CONNECTIONS is neither "1" nor "0", and counts as "0".'],
    ],
    [{ LOG_CONNECTIONS: "0", DEV_TOKENS: "", REST_PER_SECOND: 500 }, []],
    [{ REST_PER_SECOND: "many" }, ["error: REST_PER_SECOND is not a number above 0."]],
    [
      { CONNECT_LIMITER: "600", REST_LIMITER: null },
      [
        "error: CONNECT_LIMITER is no binding of Rate Limiting.",
        "error: REST_LIMITER is no binding of Rate Limiting.",
      ],
    ],
  ])("%j: %j", (changes, problems) => {
    expect(found({ variables: { ...VARIABLES, ...changes } })).toEqual(problems);
  });

  it("has lines for a webhook's secret that its receiver reads as the worker does", () => {
    const variables = { ...VARIABLES, WEBHOOK_URL: "https://app.example/events" };
    const [problem] = problemsOf(facts({ variables }));
    expect(problem!.fix!.lines).toContain("WEBHOOK_SECRET=whsec_$(openssl rand -base64 32)");
  });

  it("of which one is to be removed are told how, for each place", () => {
    const variables = { ...VARIABLES, JWT_JWKS_URL: "https://id.example.com/keys" };
    const text = list(problemsOf(facts({ variables })));
    expect(text).toContain('echo "JWT_JWKS_URL=" >> .dev.vars');
    expect(text).toContain("npx wrangler secret delete JWT_SECRET");
  });

  it("never show a value", () => {
    const canary = { JWT_SECRET: "canary", WEBHOOK_URL: "canary", ACCESS_KEYS: "canary" };
    expect(list(problemsOf(facts({ variables: canary })))).not.toContain("canary");
  });
});

describe("files", () => {
  it("keep secrets and switches of development out of [vars]", () => {
    const vars = { JWT_SECRET: "x", DEV_TOKENS: 1, DEVELOPMENT: "0", ACCESS_KEYS: "" };
    expect(found({ files: { vars } })).toEqual([
      "error: JWT_SECRET is in [vars], which are committed and public: remove it there.",
      "error: DEV_TOKENS is in [vars] and would be deployed: move it to .dev.vars.",
    ]);
  });

  it("keep URLs of this machine out of [vars]", () => {
    const vars = {
      WEBHOOK_URL: "http://127.0.0.1:3000/events",
      WEBHOOK_CONNECT_URL: "http://[::1]/connect",
      JWT_JWKS_URL: "https://localhost.example/keys",
      JWT_ISSUERS: JSON.stringify([
        { jwks: "https://id.example/keys" },
        { jwks: "http://localhost:8080/keys" },
        null,
      ]),
    };
    const sentence =
      "is a URL of this machine, which Cloudflare cannot reach: move it to .dev.vars.";
    expect(found({ files: { vars } })).toEqual([
      `advice: WEBHOOK_URL in [vars] ${sentence}`,
      `advice: WEBHOOK_CONNECT_URL in [vars] ${sentence}`,
      `advice: JWT_ISSUERS[1].jwks in [vars] ${sentence}`,
    ]);
    const none = { WEBHOOK_URL: "nothing", JWT_JWKS_URL: "", JWT_ISSUERS: "nothing" };
    expect(found({ files: { vars: none } })).toEqual([]);
  });

  it.each<[WorkerFiles["assets"], string]>([
    [{}, "/hubs/*, /parties/*, /client/*, /api/*, /dormouse.v1.Hub/*, /grpc.health.v1.Health/*"],
    [
      { run_worker_first: ["/hubs/*", "/api/*", "/parties/*", "/client/*"] },
      "/dormouse.v1.Hub/*, /grpc.health.v1.Health/*",
    ],
  ])("with assets %j look for files first at %s", (assets, paths) => {
    expect(found({ files: { assets } })).toEqual([
      `advice: Requests for ${paths} check for a static file first.`,
    ]);
  });

  it("with assets before the worker keep the paths that are there", () => {
    const first = ["/private/*", "/hubs/*", "/parties/*", "/client/*"];
    const [problem] = problemsOf(facts({ files: { assets: { run_worker_first: first } } }));
    const all = [...first, "/api/*", "/dormouse.v1.Hub/*", "/grpc.health.v1.Health/*"];
    expect(problem!.fix).toMatchObject({
      lines: `[assets]\nrun_worker_first = [${all.map((path) => `"${path}"`).join(", ")}]`,
      json: `"assets": { "run_worker_first": [${all.map((path) => `"${path}"`).join(", ")}] }`,
    });
  });

  it.each([true, ["/*"], ["*", "!/static/*"]])(
    "with assets after the worker (%j) are right",
    (first) => {
      expect(found({ files: { assets: { run_worker_first: first } } })).toEqual([]);
    },
  );

  it("are right with an endpoint below a path", () => {
    const paths = ["hubs", "parties", "client", "api", "dormouse.v1.Hub", "grpc.health.v1.Health"];
    const first = paths.map((path) => `/realtime/${path}/*`);
    expect(found({ files: { assets: { run_worker_first: first } } })).toEqual([]);
  });

  it.each<[WorkerFiles["observability"], string[]]>([
    [{ enabled: true }, ["Every message", "Tokens in queries"]],
    [{ enabled: true, redact_query_string: true }, ["Every message"]],
    [{ logs: { enabled: true, invocation_logs: false } }, ["Tokens in queries"]],
    [{ enabled: true, redact_query_string: true, logs: { invocation_logs: false } }, []],
    [{ enabled: true, logs: { enabled: false } }, []],
  ])("with logs %j: %j", (observability, beginnings) => {
    const problems = found({ files: { observability } });
    expect(problems.map((text) => text.replace("advice: ", ""))).toEqual(
      beginnings.map((text) => expect.stringContaining(text)),
    );
  });
});

it("a list is numbered, errors first, and in the form of the file", () => {
  const text = list(problemsOf(facts({ flags: [], bound: () => "nothing" })), "json");
  expect(text.match(/^\d\. .{12}/gm)).toEqual([
    ...["1. The binding ", "2. The binding ", "3. The binding ", "4. Compatibilit"],
  ]);
  expect(text).toContain(
    'In wrangler.jsonc:\n    "durable_objects": { "bindings": [{ "name": "ROOMS", "class_name": "Room" }] }',
  );
});
