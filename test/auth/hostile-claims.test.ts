// [S4], with a shared secret: tokens with a valid signature and invalid claims.

import { raw, refuseAll, text, withClaims, type Row } from "./hostile-rows.ts";
import { SECONDS, SECRET_ENV } from "./tokens.ts";

const iss = SECRET_ENV.JWT_ISSUER!;
const registered: Row[] = [
  ...withClaims(
    "token_wrong_issuer",
    ...[
      undefined,
      null,
      "",
      1,
      {},
      [iss],
      `${iss}/`,
      `${iss} `,
      iss.toUpperCase(),
      iss.slice(0, -1),
      "https://evil.example",
    ].map((value) => ({ iss: value })),
  ),
  ...withClaims(
    "token_wrong_audience",
    ...[
      undefined,
      null,
      "",
      1,
      [],
      ["other"],
      "Dormouse",
      "dormouse ",
      "dormouse2",
      "dormouse/admin",
      "dormouse//",
      "/dormouse",
      ["dormouse2", "x"],
      { dormouse: true },
      [["dormouse"]],
    ].map((value) => ({ aud: value })),
  ),
  ...withClaims(
    "token_expired",
    ...[60, 61, 120, 1e6, SECONDS, SECONDS + 1, 1e300].map((ago) => ({ exp: SECONDS - ago })),
  ),
  ...withClaims(
    "token_claim_invalid",
    ...[
      ...[undefined, null, "", `${SECONDS + 300}x`, true, [SECONDS + 300], {}, 9e15, 1e300],
      ...[" ", "0x7fffffff", "Infinity", "1,900,000,000", "9e15", "1e300"],
    ].map((exp) => ({ exp })),
  ),
  [
    "a lifetime without end",
    "token_claim_invalid",
    () => raw(text().replace(/"exp":\d+/, '"exp":1e999')),
  ],
  [
    "a lifetime that ended for ever",
    "token_expired",
    () => raw(text().replace(/"exp":\d+/, '"exp":-1e999')),
  ],
  ...withClaims(
    "token_not_yet_valid",
    ...[61, 3600, 1e12].flatMap((s) => [{ nbf: SECONDS + s }, { iat: SECONDS + s }]),
  ),
  ...withClaims(
    "token_claim_invalid",
    ...[null, "", "x", "0x1", true, [1], {}].flatMap((value) => [{ nbf: value }, { iat: value }]),
  ),
  ...withClaims(
    "token_not_yet_valid",
    ...[61, 3600].flatMap((s) => [{ nbf: `${SECONDS + s}` }, { iat: `${SECONDS + s}` }]),
  ),
  ...withClaims("token_expired", { exp: `${SECONDS - 60}` }, { exp: "-5" }),
  ...withClaims("token_claim_invalid", ...[0, true, [], {}].map((jti) => ({ jti }))),
  ...withClaims("token_no_subject", ...[undefined, null, ""].map((sub) => ({ sub }))),
  ...withClaims(
    "token_claim_invalid",
    ...[
      0.5,
      2 ** 53,
      true,
      [],
      ["alice"],
      {},
      "a".repeat(129),
      "a\u0000",
      "a\nb",
      "a\u2028b",
      "\ud800",
      ".",
      "..",
    ].map((sub) => ({ sub })),
  ),
];

const caps = [{ channels: ["group:a"], allow: ["sub"] }];
const own: Row[] = [
  ...withClaims(
    "token_claim_invalid",
    ...["", 1.5, ["a"], {}, "a\u0000b", "..", "t".repeat(129)].map((tid) => ({ tid })),
  ),
  ...withClaims(
    "token_claim_invalid",
    { role: 1.5 },
    { role: true },
    { role: {} },
    { roles: [1.5] },
    { roles: [null] },
    { roles: [["admin"]] },
  ),
  ...withClaims(
    "token_claim_invalid",
    ...["", {}, "**", [null], ["**"], [[]], [{}], [{ channels: ["a"] }], [{ allow: ["sub"] }]].map(
      (value) => ({ caps: value }),
    ),
  ),
  ...withClaims(
    "token_claim_invalid",
    ...["regex", "WILDCARD", "", null, "exact", ["wildcard"]].map((match) => ({
      caps: [{ ...caps[0], match }],
    })),
  ),
  ...withClaims(
    "token_claim_invalid",
    ...["sub", ["all"], ["SUB"], [null], ["sub", "pub", "prs", "hst", "sub"]].map((allow) => ({
      caps: [{ ...caps[0], allow }],
    })),
  ),
  ...withClaims(
    "token_claim_invalid",
    ...["**", [1], ["a".repeat(257)], ["\udc00"], Array(101).fill("a")].map((channels) => ({
      caps: [{ channels, match: "wildcard", allow: [] }],
    })),
  ),
  ...withClaims(
    "token_claim_invalid",
    ...[["a"], ["group:"], ["group:.."], ["Group:a"], ["group:\u0000"], [1]].map((channels) => ({
      caps: [{ channels, allow: ["sub"] }],
    })),
  ),
  ...withClaims("token_claim_invalid", {
    caps: Array.from({ length: 101 }, () => ({ channels: [], allow: [] })),
  }),
  ...withClaims(
    "token_claim_invalid",
    ...[
      "group:a",
      {},
      [1],
      ["a"],
      ["group:"],
      ["all"],
      ["__proto__:a"],
      ["group:\u0000"],
      [`group:${"a".repeat(129)}`],
      Array(101).fill("group:a"),
    ].map((channels) => ({ channels })),
  ),
];

refuseAll({ registered, own });
