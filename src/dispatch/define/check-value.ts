// Validation of a value by a Standard Schema, for arguments, stream items, clients' results and protocol parameters.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { HubError } from "../../model/errors.ts";

/**
 * The value as the schema makes it. `what` names it in the error. Throws `invalid_arguments` with the first issue and
 * its path.
 */
export async function check(schema: StandardSchemaV1, value: unknown, what: string) {
  const pending = schema["~standard"].validate(value);
  const result = pending instanceof Promise ? await pending : pending;
  if (!result.issues) return result.value;
  const [issue] = result.issues;
  const path = (issue?.path ?? []).map((part) =>
    String(typeof part === "object" ? part.key : part),
  );
  const where = path.length > 0 ? `${what} (${path.join(".")})` : what;
  throw new HubError("invalid_arguments", `${where}: ${issue?.message ?? "invalid"}`.slice(0, 500));
}
