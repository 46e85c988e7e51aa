// Regions of a source file. Pure.

const BEGIN = /^\s*\/\/ #region (\S+)$/;
const END = /^\s*\/\/ #endregion$/;

/** The lines of all regions of this name, each moved to the left, with a line between two of them. */
export function regionOf(text: string, name: string): string {
  const blocks: string[][] = [];
  let isInside = false;
  for (const line of text.split("\n")) {
    const begun = BEGIN.exec(line)?.[1];
    if (begun === name) blocks.push([]);
    if (begun === undefined && !END.test(line) && isInside) blocks.at(-1)!.push(line);
    isInside = begun === undefined ? isInside && !END.test(line) : begun === name;
  }
  return blocks.map((lines) => toTheLeft(lines).join("\n")).join("\n\n");
}

function toTheLeft(lines: readonly string[]): string[] {
  const filled = lines.filter((line) => line.trim() !== "");
  const indent = Math.min(...filled.map((line) => line.length - line.trimStart().length));
  return lines.map((line) => line.slice(indent));
}
