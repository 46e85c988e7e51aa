// The arrows of src, type imports included: a file may import from its own folder and from the folders that stand beside
// its folder here. Everything else is an error, and so is any circle. `npm run check` runs it (script `architecture`).

/** What every part of the server may import beside its own table. */
const BELOW = {
  rooms: ["webhooks", "protocols", "model"],
  dispatch: ["rooms", "webhooks", "protocols", "model"],
  edge: ["setup", "auth", "dispatch", "rooms", "webhooks", "protocols", "model"],
};

/** Layers, outer first, that have no folders with arrows of their own. */
const LAYERS = {
  model: [],
  protocols: ["model"],
  webhooks: ["protocols", "model"],
  auth: ["dispatch", "rooms", "webhooks", "protocols", "model"],
  setup: ["auth", "webhooks", "model"],
  cli: ["setup", "model"],
  hubs: ["dispatch", "rooms", "webhooks", "protocols", "model"],
};

/** src/rooms: from what an object needs of the platform up to the objects themselves. */
const ROOMS = {
  platform: [],
  rpc: [],
  connection: ["platform"],
  delivery: ["platform", "rpc", "connection"],
  log: ["platform", "rpc"],
  presence: ["platform", "rpc"],
  links: ["rpc", "connection", "delivery"],
  observe: ["platform", "rpc", "connection"],
  account: ["platform", "rpc"],
  object: ["platform", "rpc", "connection", "delivery", "links", "observe"],
  state: ["platform", "rpc", "log"],
  room: [
    ...["platform", "rpc", "connection", "delivery", "log", "presence", "state", "observe"],
    "object",
  ],
  relay: ["platform", "rpc", "connection", "delivery", "links", "observe", "object"],
};

/** src/dispatch: from the declarations of hubs up to the tests of user code; dispatcher.ts stands on top. */
const DISPATCH = {
  define: [],
  context: ["define"],
  state: ["define"],
  run: ["define", "context", "state"],
  "protocol-methods": ["define", "context", "run"],
  testing: ["define", "context", "state", "run"],
};

/** The client's side of a world is the client's own code, and its server's side the dispatcher. */
const WORLD = ["src/client/", "src/dispatch/dispatcher\\.ts$"];

/** src/edge: the doors of the protocols do not import each other; app.ts stands on top. */
const EDGE = {
  answer: [],
  admit: ["answer"],
  stream: ["admit", "answer"],
  signalr: ["admit", "answer", "stream"],
  sse: ["admit", "answer", "stream"],
  "json-rpc": ["admit", "answer", "stream"],
  rest: ["admit", "answer", "stream"],
  grpc: ["admit", "answer", "stream"],
  ops: ["admit", "answer", "stream"],
  routes: ["admit", "answer", "stream", "sse", "json-rpc", "rest", "ops"],
};

/** src/client: connect.ts and its like stand on top; a page never takes what only services need. */
const CLIENT = {
  platform: [],
  model: [],
  transport: ["platform", "model"],
  scope: ["platform", "model", "transport"],
  session: ["platform", "model", "transport", "scope"],
  events: ["platform", "model", "transport"],
  backend: ["model", "transport"],
};

const any = (paths) => `^(?:${paths.join("|")})`;
const not = ({ name, from, comment }, allowed) => ({
  name,
  severity: "error",
  comment,
  from: { path: from },
  to: { path: "^src/", pathNot: any(allowed) },
});

/** One rule for each folder of an area, and one for the files at its top. */
function area(root, folders, below) {
  const foreign = below.map((layer) => `src/${layer}/`);
  const rules = Object.entries(folders).map(([folder, arrows]) =>
    not(
      {
        name: `${root}-${folder}`,
        from: `^src/${root}/${folder}/`,
        comment: `${root}/${folder} may import ${[...arrows, ...below].join(", ") || "nothing of src"}.`,
      },
      [
        ...[folder, ...arrows].map((to) => `src/${root}/${to}/`),
        ...foreign,
        ...(folder === "testing" ? WORLD : []),
      ],
    ),
  );
  const top = { name: `${root}-top`, from: `^src/${root}/[^/]+$` };
  return [...rules, not(top, [`src/${root}/`, ...foreign])];
}

const layer = ([name, below]) =>
  not(
    { name: `layer-${name}`, from: `^src/${name}/` },
    [name, ...below].map((to) => `src/${to}/`).concat(name === "hubs" ? ["src/hub.ts"] : []),
  );

/** What ships to pages takes values of the server's pure parts only; types may come from hubs as well. */
const values = (name, from, allowed) => ({
  name,
  severity: "error",
  comment: "A page's bundle takes no server code: import the type.",
  from: { path: from },
  to: { path: "^src/", pathNot: any(allowed), dependencyTypesNot: ["type-only"] },
});

/** What stands on src/client, by folder. */
const PAGES = { state: [], components: ["state"] };

/** Bindings of user interface frameworks to src/components, which is independent of them. */
const FRAMEWORKS = ["react", "vue", "svelte"];

function forPages(name) {
  const own = [name, ...(PAGES[name] ?? ["components", "state"])];
  const from = `^src/${name}/`;
  const code = [...own, "client", "model"].map((to) => `src/${to}/`);
  return [values(`${name}-values`, from, code), not({ name, from }, [...code, "src/dispatch/"])];
}

export default {
  forbidden: [
    {
      name: "no-circle",
      severity: "error",
      comment: "No circle of imports, type imports included.",
      from: {},
      to: { circular: true },
    },
    {
      name: "nobody-imports-entries",
      severity: "error",
      comment: "worker.ts and server.ts tie layers together; hub.ts is for hubs.",
      from: { path: "^src/[^/]+/" },
      to: { path: "^src/(?:worker|server|grpc-server)\\.ts$" },
    },
    ...Object.entries(LAYERS).map(layer),
    ...area("rooms", ROOMS, BELOW.rooms),
    ...area("dispatch", DISPATCH, BELOW.dispatch),
    ...area("edge", EDGE, BELOW.edge),
    ...area("client", CLIENT, ["dispatch", "protocols", "model"]),
    values("client-values", "^src/client/", ["src/client/", "src/protocols/", "src/model/"]),
    ...[...Object.keys(PAGES), ...FRAMEWORKS].flatMap(forPages),
  ],
  options: {
    // TypeScript 7 has no API that the tool could parse with; swc sees type imports and exports as well, and so needs no
    // `tsPreCompilationDeps`, which is for tsc. It does not see `import("…")` in types: the linter forbids that in src.
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^src/protocols/proto/" },
    enhancedResolveOptions: { extensions: [".ts"], conditionNames: ["import"] },
  },
};
