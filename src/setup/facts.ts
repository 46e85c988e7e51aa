// The facts that the rules check: of a running worker, or of its files before a deploy (`dormouse check`).

import type { ObjectBinding } from "./objects.ts";

/** The kind of value that a name is bound to. */
export type BindingKind = "namespace" | "nothing" | "another thing";

export interface Facts {
  /** Variables and secrets by name. Of any type: wrangler.toml may have numbers and tables. */
  readonly variables: Readonly<Record<string, unknown>>;
  bound(binding: ObjectBinding): BindingKind;
  /** Whether two bindings, both of which are bound to a namespace, are bound to the same one. */
  areSame(one: ObjectBinding, other: ObjectBinding): boolean;
  /** Whether a compatibility flag is on. `since`: the date that turns it on; absent: the flag has to be named. */
  isOn(flag: string, since?: string): boolean;
  /** Known only before a deploy. */
  readonly files?: WorkerFiles;
}

/** The parts of wrangler's configuration that rules read, with its defaults filled in. */
export interface WorkerFiles {
  readonly vars: Readonly<Record<string, unknown>>;
  readonly durable_objects: { readonly bindings: readonly ClassBinding[] };
  readonly exports?: Readonly<Record<string, ClassExport>> | undefined;
  readonly migrations?: readonly Migration[] | undefined;
  readonly assets?: Assets | undefined;
  readonly observability?: Observability | undefined;
  /** Names that the worker's main module exports; or why they are unknown, as a sentence. */
  readonly mainExports: readonly string[] | string;
  /** Why the main module cannot define its hubs, as a sentence with a place; absent: it can, or it is not known. */
  readonly hubProblem?: string | undefined;
}

export interface ClassBinding {
  readonly name: string;
  readonly class_name: string;
  /** Present if the class belongs to another worker. */
  readonly script_name?: string | undefined;
}

interface ClassExport {
  readonly type?: string | undefined;
  readonly storage?: string | undefined;
}

interface Migration {
  readonly new_sqlite_classes?: readonly string[] | undefined;
  readonly new_classes?: readonly string[] | undefined;
  readonly renamed_classes?: readonly { readonly to: string }[] | undefined;
}

interface Assets {
  readonly directory?: string | undefined;
  readonly binding?: string | undefined;
  readonly run_worker_first?: boolean | readonly string[] | undefined;
}

interface Observability {
  readonly enabled?: boolean | undefined;
  readonly redact_query_string?: boolean | undefined;
  readonly logs?: Logs | undefined;
}

interface Logs {
  readonly enabled?: boolean | undefined;
  readonly invocation_logs?: boolean | undefined;
}
