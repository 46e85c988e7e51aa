// Members of a JSON object are counted as written, not as parsed.

import * as fc from "fast-check";
import { expect, it } from "vitest";
import { countMembers } from "../../src/auth/jwt.ts";

it.each([
  ["{}", 0],
  ['{"a":1}', 1],
  ['{"a":1,"a":2}', 2],
  ['{"a":1,"\\u0061":2}', 2],
  ['{"a":{"b":1,"b":2}}', 1],
  ['{"a":[{"b":1}],"c":":"}', 2],
  ['{"a:\\"b\\\\":"{[:","c":{}}', 2],
  [' { "a" : [ ] , "b" : "}" } ', 2],
])("counts %s as %i", (json, members) => {
  expect(countMembers(json)).toBe(members);
});

it("counts as many as an object has, whatever it holds", () => {
  const object = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue());
  fc.assert(
    fc.property(object, fc.nat(2), (value, space) => {
      const json = JSON.stringify(value, null, space);
      expect(countMembers(json)).toBe(Object.keys(JSON.parse(json)).length);
    }),
  );
});
