// Binds values of clients to schemas. A value that its schema accepts costs nothing more. One that is refused is tried
// in the other forms that its .NET type has on the wire, only at the places of the schema's issues.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ShapeOf } from "./member-names.ts";
import { formsOf, isContainer, type Binding } from "./value-conversions.ts";
import {
  applyEdits,
  isObject,
  memberOf,
  ROOT,
  setMember,
  type Container,
  type Edit,
  type Path,
} from "./value-edits.ts";

export interface Binder {
  readonly shapeOf: ShapeOf;
  readonly binding: Binding;
}

/** JSON-RPC's names of members are exact. */
export const EXACT_NAMES: Binder = { binding: "json-rpc", shapeOf: () => undefined };

type Result = StandardSchemaV1.Result<unknown>;

const validated = (schema: StandardSchemaV1, value: unknown): Result | Promise<Result> =>
  schema["~standard"].validate(value);

/** The schema's result for the value, or for another form of it; else the issues that remain. */
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

/** The most rounds: issues of a value may appear only after those of its container are gone. */
const ROUNDS = 4;
/** The most forms of one value, which are tried in turn. */
const FORMS = 3;
/** A value with more issues is refused as it is: a frame may cause several times as many, and each costs an attempt. */
const ISSUES = 4_000;

/** The schema's result for another form of a value that it has refused; else the issues that remain. */
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

/** The value with other forms at the places of some issues, if these are gone then. */
async function improved(
  schema: StandardSchemaV1,
  { value, result }: Attempt,
  binding: Binding,
): Promise<Attempt | undefined> {
  const { issues = [] } = result;
  if (issues.length > ISSUES) return undefined;
  const places = placesOf(issues).filter(outermostIn(value));
  for (let choice = 0; choice < FORMS; choice++) {
    const edits = places.flatMap((at) => editOf(value, at, { choice, binding }) ?? []);
    // oxlint-disable-next-line no-await-in-loop -- one form after another
    const attempt = edits.length > 0 ? await tried(schema, value, edits) : undefined;
    if (attempt) return attempt;
  }
  return undefined;
}

/** Keeps the edits whose issues are gone, if any, and reverts the others. */
async function tried(
  schema: StandardSchemaV1,
  value: unknown,
  edits: readonly Edit[],
): Promise<Attempt | undefined> {
  const changed = applyEdits(value, edits);
  const result = await resultOf(schema, changed);
  if (!result) return undefined;
  const isRefused = refusalsIn(result);
  const taken = edits.filter((edit) => edit.isSure || !isRefused(edit));
  const good = taken.length < edits.length ? taken : await ofRequestedKinds(schema, value, edits);
  if (good.length === edits.length) return { value: changed, result };
  return good.length > 0 ? tried(schema, value, good) : undefined;
}

function refusalsIn({ issues = [] }: Result): (edit: Edit) => boolean {
  const refused = new Set(placesOf(issues).map(keyOf));
  return ({ at }) => refused.has(keyOf(at));
}

/**
 * Leaves out edits to a `Date` or bytes for which the schema did not ask. Many checks accept any object, such as one
 * with optional members only, or convert their input. The test: such a check accepts a `Stranger` as well.
 */
async function ofRequestedKinds(
  schema: StandardSchemaV1,
  value: unknown,
  edits: readonly Edit[],
): Promise<readonly Edit[]> {
  if (!edits.some(({ stranger }) => stranger)) return edits;
  const strange = edits.map((edit) => ({ ...edit, change: edit.stranger ?? edit.change }));
  const result = await resultOf(schema, applyEdits(value, strange));
  if (!result) return edits;
  const isRefused = refusalsIn(result);
  return edits.filter((edit) => !edit.stranger || isRefused(edit));
}

/** An object that converts to the same primitive as the form, but is of no known class. */
class Stranger {
  readonly #form: object;

  constructor(form: object) {
    this.#form = form;
  }
  valueOf() {
    return this.#form.valueOf();
  }
  toString() {
    return String(this.#form);
  }
}

/** Undefined if a check of the schema throws, because its author did not expect this form. */
async function resultOf(schema: StandardSchemaV1, value: unknown): Promise<Result | undefined> {
  try {
    return await validated(schema, value);
  } catch {
    return undefined;
  }
}

const keyOf = (path: Path): string => JSON.stringify(path.map(String));

/** The places of the issues, each once. */
function placesOf(issues: readonly StandardSchemaV1.Issue[]): readonly Path[] {
  const paths = issues
    .slice(0, ISSUES)
    .map(({ path = [] }) => path.map((part) => (typeof part === "object" ? part.key : part)));
  return [...new Map(paths.map((path) => [keyOf(path), path])).values()];
}

/**
 * Leaves out containers inside of one that has an issue as well: the forms of each cost as much as its whole content,
 * and a frame may have one at each level.
 */
function outermostIn(
  value: unknown,
): (at: Path, index: number, places: readonly Path[]) => boolean {
  let refused: ReadonlySet<unknown> | undefined;
  return (at, _index, places) => {
    refused ??= new Set(places.map((place) => place.reduce(memberOf, value)).filter(isContainer));
    let [held, isWithin] = [value, false];
    for (const key of at) {
      isWithin ||= refused.has(held);
      held = memberOf(held, key);
    }
    return !isWithin || !isContainer(held);
  };
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
  const form = forms[choice];
  const put = (one: unknown) => (holder: Container) => setMember(holder, at.at(-1) ?? ROOT, one);
  const isOfKind = isObject(form) && !isContainer(form);
  return { at, change: put(form), ...(isOfKind && { stranger: put(new Stranger(form)) }) };
}

/** Renames a member whose name differs from a missing one in case only. */
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
