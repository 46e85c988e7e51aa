// The version that clients and servers tell each other is that of both packages.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { VERSION } from "../../src/model/package-version.ts";

it.each(["package.json", "packages/create-dormouse-hubs/package.json"])(
  "the version in the source is that of %s",
  (file) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    expect((JSON.parse(text) as { version: string }).version).toBe(VERSION);
  },
);
