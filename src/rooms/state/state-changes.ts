// Changes of a state in entries of the log: the text of a `StateChange` (model/state-wire.ts). Pure.

import { applyPatch, patchBetween } from "../../model/merge-patch.ts";
import { exceeds } from "../../protocols/bytes.ts";
import { HubError } from "../../model/errors.ts";
import { freezeDeep, invalid, plainJson } from "../../model/plain-json.ts";
import type { StateEntry } from "../rpc/log-entry.ts";
import type { StateSpec } from "../rpc/state-rpc.ts";
import { byteLength } from "./action-turn.ts";

export const hasChange = ({ params, change }: StateEntry): boolean =>
  params !== "" || change !== undefined;

/** The state after the entry. */
export function applyEntry(state: unknown, { change, params }: StateEntry): unknown {
  const text = change ?? params;
  if (text === "") return state;
  const parsed = JSON.parse(text) as { readonly patch?: unknown; readonly state?: unknown };
  return "state" in parsed ? parsed.state : applyPatch(state, parsed.patch);
}

/**
 * A `StateChange` as text: the patch, or the whole state if that is shorter or `isWhole`. Empty if there is no change. A
 * short patch is not compared with the whole.
 */
export function changeText(before: unknown, after: unknown, isWhole = false): string {
  if (isWhole) return `{"state":${JSON.stringify(after)}}`;
  const patch = patchBetween(before, after);
  if (patch === undefined) return "";
  const text = JSON.stringify(patch);
  if (text.length < SHORT) return `{"patch":${text}}`;
  const whole = JSON.stringify(after);
  return whole.length < text.length ? `{"state":${whole}}` : `{"patch":${text}}`;
}

/** Patches with fewer characters are not compared. */
const SHORT = 256;

/** An upper bound of the bytes of a state as JSON. Throws `invalid_state` if the state is larger than `most`. */
export function sizeWithin(state: unknown, most: number): number {
  const text = JSON.stringify(state);
  if (text.length * 3 <= most) return text.length * 3;
  const bytes = byteLength(text, most);
  if (bytes > most) throw invalid("state", `has more than ${most} bytes (limits.stateBytes)`);
  return bytes;
}

/**
 * Bytes of a row beside its numbers, and characters that surely fit with the answers of a flush, even if each is quoted
 * or has three bytes.
 */
const [ROW_BYTES, FITTING_CHARS] = [1_990_000, 130_000];

/** Throws if the entry does not fit into a row, so that its flush fails: a view may be larger than its state. */
export function checkRow(entry: StateEntry): void {
  const chars = entry.params.length + (entry.change?.length ?? 0);
  if (chars > FITTING_CHARS && exceeds(JSON.stringify(entry), ROW_BYTES))
    throw invalid("change, with its view,", "does not fit into a row");
}

/** A frozen copy of a state of hub code or a document. Throws `invalid_state` if it is no JSON. */
export const frozenState = (state: unknown): unknown => freezeDeep(plainJson(state, () => "state"));

/** The same, checked by the schema. Throws `invalid_state` if it is no JSON, or not valid. */
export const checkedState = (spec: Pick<StateSpec, "check">, state: unknown): unknown =>
  spec.check(frozenState(state));

/**
 * The state that a deploy begins with, checked and frozen: the stored one, or the migrated one if an older deploy has
 * written it. `state` is frozen. Throws `state_newer`, `invalid_state`, and errors of a migration.
 */
export function deployedState(
  spec: Pick<StateSpec, "check" | "migrate" | "version">,
  state: unknown,
  version: number,
): unknown {
  if (version > spec.version)
    throw new HubError("state_newer", "A newer deploy has written this room's state.");
  if (version < spec.version) {
    const migrated = frozenState(spec.migrate(structuredClone(state), version));
    return checkedWith(spec, migrated, "The schema refuses what `migrations` return.");
  }
  const advice = "The schema refuses the stored state: `migrations` needs a step.";
  return checkedWith(spec, state, advice);
}

/** The output of the schema for the state. Throws `invalid_state` with the advice. */
function checkedWith(spec: Pick<StateSpec, "check">, state: unknown, advice: string): unknown {
  try {
    return spec.check(state);
  } catch (error) {
    const { code, message } = error as HubError;
    if (code !== "invalid_state") throw error;
    throw new HubError("invalid_state", `${message.replace(/\.?$/, ".")} ${advice}`, {
      cause: error,
    });
  }
}

/** The view of a state; frozen if it is not the state itself. Throws errors of the view, and `invalid_state`. */
export function viewedState(view: (state: unknown) => unknown, state: unknown): unknown {
  const viewed = view(state);
  if (viewed === state) return state;
  const plain = plainJson(viewed, () => "view");
  if (plain === undefined) throw invalid("view", "is undefined");
  return freezeDeep(plain);
}
