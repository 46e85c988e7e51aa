// `dormouse types --csharp`: the file, from documents of all that a hub can declare. `npm run test:dotnet` compiles the
// files of test/fixtures/csharp, and runs one that is made from a hub that runs.

import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { csharpOf } from "../../src/cli/csharp-types.ts";
import type { HubDocument } from "../../src/cli/hub-documents.ts";
import { servedHub } from "../../src/dispatch/define/hub-tables.ts";
import { openRpc } from "../../src/dispatch/define/open-rpc.ts";
import type { AnyHub } from "../../src/hub.ts";
import { DeclaredHub, DeclaredRooms } from "../support/declared-hub.ts";
import { ENDLESS, ODD } from "../support/odd-documents.ts";

const golden = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/csharp/${name}.cs`, import.meta.url));
const documentOf = (hub: AnyHub) => openRpc(servedHub(hub)) as HubDocument;

describe("dormouse types --csharp", () => {
  it("writes a class for each hub, an interface of its clients, and each record once", async () => {
    const text = csharpOf(
      [DeclaredHub, DeclaredRooms].map((hub) => documentOf(hub as AnyHub)),
      "Dormouse.Declared",
    );
    await expect(text).toMatchFileSnapshot(golden("declared"));
  });

  it("gives names to what has none, or those of others", async () => {
    await expect(csharpOf(ODD, "Dormouse.Odd")).toMatchFileSnapshot(golden("odd"));
  });

  it("ends with a sentence where references double its text again and again", () => {
    expect(() => csharpOf([ENDLESS], "Dormouse.Odd")).toThrow("more than 10000 references");
  });
});
