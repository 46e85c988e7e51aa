// Blocks of C# in the guides as sources that Dormouse.Docs compiles: a file and a namespace for each page.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const DOCS = join(import.meta.dirname, "../../docs");

/** Blocks of declarations begin so; all others are statements. */
const DECLARATION = /^(?:\[|(?:(?:public|sealed|static) )*(?:class|interface|record) )/;

/** What statements use that stands in no block: the reader's own. Their own variables come first. */
const FIELDS = `public static WebApplicationBuilder builder = null!;
public static WebApplication app = null!;
public static HubConnection connection = null!;
public static JsonNode? copy { get; set; }
public static Task<string?> FreshToken() => Task.FromResult<string?>(null);
`;

export interface Page {
  /** Without its ending: `moving-from-signalr`. */
  readonly name: string;
  readonly blocks: readonly string[];
}

/** The guides that have blocks of C#. */
export const pagesWithCSharp = (): Page[] =>
  readdirSync(DOCS)
    .filter((file) => file.endsWith(".md"))
    .map((file) => ({
      name: file.replace(".md", ""),
      blocks: blocksIn(readFileSync(join(DOCS, file), "utf8")),
    }))
    .filter(({ blocks }) => blocks.length > 0);

const blocksIn = (text: string): string[] =>
  [...text.matchAll(/^```csharp\n(?<code>[^]*?)^```$/gm)].map(({ groups }) => groups!["code"]!);

/** `Docs.MovingFromSignalr` */
export const namespaceOf = (name: string): string =>
  `Docs.${name.replaceAll(/(?:^|-)(?<first>.)/g, (_, first: string) => first.toUpperCase())}`;

/** Gives the number of blocks. */
export function writeDocsBlocks(folder: string): number {
  mkdirSync(folder, { recursive: true });
  const pages = pagesWithCSharp();
  for (const page of pages) writeFileSync(join(folder, `${page.name}.cs`), sourceOf(page));
  return pages.reduce((sum, { blocks }) => sum + blocks.length, 0);
}

function sourceOf({ name, blocks }: Page): string {
  const isDeclaration = (block: string) => DECLARATION.test(block);
  const statements = blocks.filter((block) => !isDeclaration(block)).map(methodOf);
  return [
    `namespace ${namespaceOf(name)};\n`,
    ...blocks.filter(isDeclaration),
    `static class Statements\n{\n${FIELDS}${statements.join("\n")}}\n`,
  ].join("\n");
}

const methodOf = (block: string, at: number): string =>
  `static async Task Block${at}()\n{\n${block}await Task.CompletedTask;\n}\n`;
