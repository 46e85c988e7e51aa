// The configuration of a bare engine: what wrangler.toml says, in workerd's own words.

export interface EngineSettings {
  /** Classes of Durable Objects by their bindings. */
  readonly classes?: Readonly<Record<string, string>>;
  /** The folder where objects keep their files. */
  readonly disk: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly v8Flags?: readonly string[];
}

export const CLASSES = { ROOMS: "Room", RELAYS: "Relay", ACCOUNTS: "Account" };

/**
 * A text of Cap'n Proto, for `workerd serve`: one socket, `http`, whose address an argument gives, and the bundle
 * `worker.js` beside this file.
 */
export function engineConfiguration(settings: EngineSettings): string {
  const { classes = CLASSES, disk, vars, v8Flags = [] } = settings;
  const bindings = [
    ...Object.entries(classes).map(
      ([name, object]) => `(name = "${name}", durableObjectNamespace = "${object}")`,
    ),
    ...Object.entries(vars).map(([name, text]) => `(name = "${name}", text = ${quoted(text)})`),
  ];
  const namespaces = Object.values(classes).map(
    (object) => `(className = "${object}", uniqueKey = "${object}", enableSql = true)`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${v8Flags.map(quoted).join(", ")}],
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = ${quoted(disk)}, writable = true)),
    (name = "internet", network = (
      allow = ["public", "private"],
      tlsOptions = (trustBrowserCas = true),
    )),
  ],
  sockets = [(name = "http", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  compatibilityFlags = ["no_web_socket_compression", "enable_request_signal"],
  bindings = [${bindings.join(", ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
);
`;
}

const quoted = (text: string): string => JSON.stringify(text);
