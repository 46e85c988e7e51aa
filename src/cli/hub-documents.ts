// OpenRPC documents of hubs, from the source that the user names: the worker of this folder, a running hub, or a file.

import { readText } from "./files.ts";
import { missingMain } from "./main-exports.ts";
import { workerHubs } from "./worker-hubs.ts";
import { readConfiguration, type ChosenConfig } from "./wrangler-package.ts";

/** The part of JSON Schema that the documents use. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** A parameter, a result, or an argument of a client method. */
export interface Content {
  readonly name: string;
  readonly schema: JsonSchema;
  readonly required?: boolean;
  readonly "x-stream"?: boolean;
}

/** A method, stream, action, or client method. */
export interface DocumentMethod {
  readonly name: string;
  readonly params: readonly Content[];
  readonly result?: Content;
  readonly "x-stream"?: boolean;
  /** Of a client method: its name for clients of SignalR, which distinguish upper and lower case. */
  readonly "x-signalr-target"?: string;
}

/** The members that the commands read; documents have more. */
export interface HubDocument {
  readonly openrpc: string;
  readonly info: { readonly title: string };
  readonly methods: readonly DocumentMethod[];
  /** Absent: the hub does not declare its client methods. */
  readonly "x-client-methods"?: readonly DocumentMethod[];
  readonly "x-actions"?: readonly DocumentMethod[];
  /** The kind of rooms in which actions run, and the schema of their state. */
  readonly "x-state"?: { readonly kind: string; readonly schema?: JsonSchema };
  readonly "x-presence-state"?: JsonSchema;
}

export interface Source extends ChosenConfig {
  /** A hub's URL, or the path of a document. Absent: the worker of this folder. */
  readonly from?: string | undefined;
  readonly token?: string | undefined;
}

/** The documents by the hub's name. Throws an error whose message is a sentence. */
export async function documentsOf(source: Source): Promise<ReadonlyMap<string, HubDocument>> {
  const { from } = source;
  const found =
    from === undefined
      ? await ofWorker(source)
      : [/^https?:/.test(from) ? await discovered(from, source.token) : read(from)];
  return new Map(found.map((document) => [document.info.title, document]));
}

async function ofWorker(chosen: ChosenConfig): Promise<readonly HubDocument[]> {
  const folder = process.cwd();
  const configuration = await readConfiguration(folder, chosen);
  const absent = missingMain(configuration);
  if (absent !== undefined) throw new Error(absent);
  const ran = await workerHubs(folder, configuration);
  if ("error" in ran) throw new Error(`The worker's hubs cannot be read: ${ran.error}`);
  const documents = Object.values(ran.documents) as HubDocument[];
  if (documents.length === 0) throw new Error("The worker's main module serves no hubs.");
  return documents;
}

const DISCOVER = { jsonrpc: "2.0", id: 1, method: "rpc.discover" };

async function discovered(url: string, token?: string): Promise<HubDocument> {
  const response = await fetch(`${url.replace(/\/$/, "")}/rpc`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(DISCOVER),
  }).catch((error: unknown) => {
    throw new Error(`${url} cannot be reached: ${reasonOf(error)}`, { cause: error });
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${text}`);
  const { result, error } = (parse(text) ?? {}) as Answer;
  if (error) throw new Error(`${url} answers: ${error.message}`);
  return checked(result, url);
}

interface Answer {
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** The reason is in the cause of `fetch`'s error: such as a host without an address, or a closed port. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? cause.message : message;
}

/** Undefined for text that is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const read = (file: string): HubDocument => checked(parse(readText(file)), file);

/** Checked, because names from other places are written into source files. */
const HUB_NAME = /^[a-z][a-z0-9_-]{0,63}$/;

function checked(value: unknown, from: string): HubDocument {
  const { openrpc, info, methods } = (value ?? {}) as Partial<HubDocument>;
  const isHub = typeof info?.title === "string" && HUB_NAME.test(info.title);
  if (typeof openrpc !== "string" || !isHub || !Array.isArray(methods))
    throw new Error(`${from} is not an OpenRPC document.`);
  return value as HubDocument;
}
