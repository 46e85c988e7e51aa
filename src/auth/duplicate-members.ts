// Counts the members of a JSON object as written. `JSON.parse` keeps only the last of several equal names.

/** The members of the outermost object, repeated names counted each time. The text must be valid JSON. */
export function countMembers(json: string): number {
  let members = 0;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const unit = json[at];
    if (unit === '"') at = endOfString(json, at);
    else if (unit === "{" || unit === "[") depth++;
    else if (unit === "}" || unit === "]") depth--;
    else if (unit === ":" && depth === 1) members++;
  }
  return members;
}

/** The index of the closing quote of the string that opens at `start`. */
function endOfString(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === "\\" ? 2 : 1;
  return at;
}
