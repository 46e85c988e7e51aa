// Binds values of SignalR clients to schemas. A value that a schema takes as it came costs nothing more; one that it
// refuses is tried in the other forms that its .NET type has on the wire, only where the schema objects.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ShapeOf } from "./member-names.ts";
import { formsOf, type Binding } from "./value-conversions.ts";

export interface Binder {
  readonly shapeOf: ShapeOf;
  readonly binding: Binding;
}

/** JSON-RPC's names of members are exact. */
export const EXACT_NAMES: Binder = { binding: "json-rpc", shapeOf: () => undefined };

type Result = StandardSchemaV1.Result<unknown>;

const validated = (schema: StandardSchemaV1, value: unknown): Result | Promise<Result> =>
  schema["~standard"].validate(value);

/** What the schema makes of the value, or of another form of it; else the issues that remain. */
export async function bind(
  schema: StandardSchemaV1,
  value: unknown,
  { shapeOf, binding }: Binder,
): Promise<Result> {
  const shape = shapeOf(schema);
  const named = shape ? shape.renamed(value) : value;
  const pending = validated(schema, named);
  const result = pending instanceof Promise ? await pending : pending;
  return result.issues ? repair(schema, { value: named, result }, binding) : result;
}

interface Attempt {
  readonly value: unknown;
  readonly result: Result;
}

/** Objections to a value may show only once those to its container are gone. */
const ROUNDS = 4;
/** Of one value, to be tried in turn. */
const FORMS = 3;
/** Objections that are looked at: a client must not make them costly. */
const ISSUES = 50;

/** What the schema makes of another form of a value that it has refused; else the issues that remain. */
export async function repair(
  schema: StandardSchemaV1,
  first: Attempt,
  binding: Binding,
): Promise<Result> {
  let best = first;
  for (let round = 0; round < ROUNDS && best.result.issues; round++) {
    // oxlint-disable-next-line no-await-in-loop -- each round needs the one before
    const better = await improved(schema, best, binding);
    if (!better) break;
    best = better;
  }
  return best.result;
}

/** The value with other forms in the places of some objections, if those are gone then. */
async function improved(
  schema: StandardSchemaV1,
  { value, result }: Attempt,
  binding: Binding,
): Promise<Attempt | undefined> {
  const places = placesOf(result.issues ?? []);
  for (let choice = 0; choice < FORMS; choice++) {
    const edits = places.flatMap((at) => editOf(value, at, { choice, binding }) ?? []);
    // oxlint-disable-next-line no-await-in-loop -- one form after another
    const attempt = edits.length > 0 ? await tried(schema, value, edits) : undefined;
    if (attempt) return attempt;
  }
  return undefined;
}

/** The edits whose objections are gone, if any; the others are taken back. */
async function tried(
  schema: StandardSchemaV1,
  value: unknown,
  edits: readonly Edit[],
): Promise<Attempt | undefined> {
  const changed = edited(value, edits);
  const result = await validated(schema, changed);
  const failing = new Set(placesOf(result.issues ?? []).map(keyOf));
  const good = edits.filter(({ at, isSure }) => isSure || !failing.has(keyOf(at)));
  if (good.length === edits.length) return { value: changed, result };
  return good.length > 0 ? tried(schema, value, good) : undefined;
}

type Path = readonly PropertyKey[];

const keyOf = (path: Path): string => JSON.stringify(path.map(String));

/** The places of the issues, each once. */
function placesOf(issues: readonly StandardSchemaV1.Issue[]): readonly Path[] {
  const paths = issues
    .slice(0, ISSUES)
    .map(({ path = [] }) => path.map((part) => (typeof part === "object" ? part.key : part)));
  return [...new Map(paths.map((path) => [keyOf(path), path])).values()];
}

interface Edit {
  readonly at: Path;
  /** Whether the edit stays although the schema objects to the place: a name is never read in two ways. */
  readonly isSure?: true;
  /** Changes the container of the place, which is a copy. */
  readonly change: (holder: Container) => void;
}

interface Choice {
  readonly choice: number;
  readonly binding: Binding;
}

function editOf(value: unknown, at: Path, { choice, binding }: Choice): Edit | undefined {
  const held = at.reduce(memberOf, value);
  if (held === undefined) return choice === 0 ? renaming(value, at) : undefined;
  const forms = formsOf(held, binding);
  if (choice >= forms.length) return undefined;
  return { at, change: (holder) => setMember(holder, at.at(-1) ?? ROOT, forms[choice]) };
}

/** A member that is missing, where another is there whose name differs in case only. */
function renaming(value: unknown, at: Path): Edit | undefined {
  const name = at.at(-1);
  const holder = at.slice(0, -1).reduce(memberOf, value);
  if (typeof name !== "string" || !isObject(holder)) return undefined;
  const other = Object.keys(holder).findLast((key) => key.toLowerCase() === name.toLowerCase());
  if (other === undefined || other === name) return undefined;
  const change = (object: Container) => {
    setMember(object, name, memberOf(object, other));
    delete (object as Record<string, unknown>)[other];
  };
  return { at, isSure: true, change };
}

const isObject = (value: unknown): value is Record<PropertyKey, unknown> =>
  typeof value === "object" && value !== null;

function memberOf(holder: unknown, key: PropertyKey): unknown {
  if (holder instanceof Map) return holder.get(key);
  return isObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
}

type Container = unknown[] | Map<unknown, unknown> | Record<PropertyKey, unknown>;

/** The place of the whole, in a list of one: so every place has a container. */
const ROOT = 0;

/**
 * A copy of the value with all edits. A container is copied once for all of them: large ones would cost as much as
 * fifty. An edit within a value that another edit has replaced is left out.
 */
function edited(value: unknown, edits: readonly Edit[]): unknown {
  const root = [value];
  const copies = new Set<unknown>([root]);
  for (const { at, change } of edits) {
    const holder = copiedHolder(root, [ROOT, ...at].slice(0, -1), copies);
    if (holder) change(holder);
  }
  return root[ROOT];
}

/** The container at the path, after it and those on the way were replaced by copies. */
function copiedHolder(root: Container, path: Path, copies: Set<unknown>): Container | undefined {
  let holder = root;
  for (const key of path) {
    const member = memberOf(holder, key);
    if (!isObject(member)) return undefined;
    const copy = copies.has(member) ? (member as Container) : copyOf(member);
    copies.add(copy);
    setMember(holder, key, copy);
    holder = copy;
  }
  return holder;
}

function copyOf(container: object): Container {
  if (container instanceof Map) return new Map(container);
  return Array.isArray(container) ? [...container] : { ...container };
}

function setMember(holder: Container, key: PropertyKey, value: unknown): void {
  if (holder instanceof Map) holder.set(key, value);
  else if (Array.isArray(holder)) holder[Number(key)] = value;
  else
    Object.defineProperty(holder, key, {
      ...{ value, writable: true, enumerable: true, configurable: true },
    });
}
