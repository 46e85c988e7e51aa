// Odd tokens, signed with a secret, for both judges (compare-tokens.ts). Where ours and .NET's answers differ on
// purpose, a row names the paragraph of docs/design/rest-and-tokens.md that has the reason.

import { createHmac } from "node:crypto";

export const ISSUER = "https://issuer.example";
export const AUDIENCE = "dormouse";

const SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims";
const ROLE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role";
const XML = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha";

export interface OddToken {
  readonly name: string;
  readonly token: string;
  /** The paragraph with the reason why ours differs. */
  readonly differs?: string;
}

type Part = object | string;
interface Parts {
  readonly claims?: object;
  readonly header?: object;
  /** Text in place of the payload, or of the header, as it stands. */
  readonly payload?: string;
  readonly head?: string;
  readonly bits?: number;
  /** Changes the finished token. */
  readonly change?: (token: string) => string;
}
type Row = readonly [name: string, parts: Parts, differs?: string | undefined];

const now = Math.floor(Date.now() / 1000);
const exp = now + 1800;
const BASE = { iss: ISSUER, aud: AUDIENCE, sub: "alice", iat: now, exp };
const TEXT = JSON.stringify(BASE);

const encode = (part: Part): string =>
  Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");

function write(secret: string, parts: Parts): string {
  const { claims, header, payload, head, bits = 256, change = (token) => token } = parts;
  const whole = head ?? { alg: "HS256", typ: "JWT", ...header };
  const input = `${encode(whole)}.${encode(payload ?? { ...BASE, ...claims })}`;
  const signature = createHmac(`sha${bits}`, secret).update(input).digest("base64url");
  return change(`${input}.${signature}`);
}

export const oddTokens = (secret: string): OddToken[] =>
  [...identities(), ...roles(), ...times(), ...parties, ...headers(), ...forms].map(
    ([name, parts, differs]) => ({
      name,
      token: write(secret, parts),
      ...(differs !== undefined && { differs }),
    }),
  );

/** One row for each value of a claim. */
const each = (claim: string, values: readonly unknown[], differs?: string): Row[] =>
  values.map((value) => [
    `${claim} ${JSON.stringify(value)?.slice(0, 40) ?? "absent"}`,
    { claims: claim === "sub" ? { sub: value } : { sub: undefined, [claim]: value } },
    differs,
  ]);

const keep = (claim: string, values: readonly unknown[], differs?: string): Row[] =>
  each(claim, values, differs).map(([name, { claims }, why]) => [
    name,
    { claims: { ...claims, ...(claim !== "sub" && { sub: "alice" }) } },
    why,
  ]);

const REFUSED_IDS = [1.5, 1e300];
const NO_IDS = [true, [], ["a"], ["a", "b"], {}, { a: 1 }, [1], [null], [["a"]]];

const identities = (): Row[] => [
  ...["sub", "nameid", `${SOAP}/nameidentifier`].flatMap((claim) => [
    ...each(claim, ["x", 0, 42, -1, 2 ** 53 - 1, " a ", "Zoë"]),
    ...each(claim, [null, "", undefined], "TO12"),
    ...each(claim, REFUSED_IDS, "TO12"),
    ...each(claim, NO_IDS, claim === "sub" ? undefined : "TO12"),
    ...each(claim, ["a".repeat(129), "a\u0000", "a\nb"], "RO5"),
  ]),
  ...["42.0", "1e2", "-0"].map((text): Row => [`sub ${text}`, { payload: withSub(text) }]),
  ...["9007199254740993", "12345678901234567890123"].map((text): Row => {
    return [`sub ${text}`, { payload: withSub(text) }, "TO12"];
  }),
  ["sub before nameid", { claims: { nameid: "bob" } }],
  ["sub before the long name", { claims: { [`${SOAP}/nameidentifier`]: "bob" } }],
  ["nameid before sub", { payload: TEXT.replace("{", '{"nameid":"bob",') }, "TO12"],
  ["nameid where sub is null", { claims: { sub: null, nameid: "bob" } }, "TO11"],
  ...keep("jti", ["x", "", null, 0, 1.5, true, [], {}]),
  ...keep("tid", ["x", 42, null]),
  ...keep("tid", ["", 1.5, true, [], {}], "RO5"),
  ...keep("email", [null, 1, "a@example.com", []]),
];

const withSub = (text: string): string => TEXT.replace('"alice"', text);

const roles = (): Row[] => [
  ...["role", "roles", ROLE].flatMap((claim) => [
    ...keep(claim, ["", "x", "a b", '["a"]', 0, -1, [], ["a", "b"], [1, "a"]]),
    ...keep(claim, [null], "TO11"),
    ...keep(claim, [1.5, 1e300, true, {}, { a: 1 }, [null], [["a"]]], "TO12"),
  ]),
  ["all three claims of roles", { claims: { role: "a", roles: ["b"], [ROLE]: "c" } }],
  ["groups and scopes, which are no roles", { claims: { groups: ["a"], scp: "b", scope: "c" } }],
];

const NO_TIMES = ["", " ", "x", "0x6b49d200", true, [exp], [`${exp}`], {}, 1e300, "1e300"];
const PAST = now - 5;

const times = (): Row[] => [
  ...keep("exp", [`${exp}`, ` ${exp} `, `+${exp}`, `${exp}.5`, exp + 0.5, "1.9e9", 253402300800]),
  ...keep("exp", [null, undefined, ...NO_TIMES, "99999999999999999999", -5, "-5", 0]),
  ...keep("exp", ["1,900,000,000", 9e15, "9000000000000000"], "TO10"),
  ...keep("nbf", [`${PAST}`, ` ${PAST} `, `${PAST}.5`, PAST - 0.5, -5, "-5", 0, now + 30]),
  ...keep("nbf", [null, ...NO_TIMES, now + 900, `${now + 900}`]),
  ...keep("iat", [`${PAST}`, ` ${PAST} `, PAST - 0.5, -1, 0, 42, now + 30]),
  ...keep("iat", [null, ...NO_TIMES]),
  ...keep("iat", [now + 900, `${now + 900}`], "TO3"),
  ...keep("exp", [now - 30, now - 320]),
  ...keep("exp", [now - 200], "TO3"),
  ...keep("nbf", [now + 200], "TO3"),
  ["exp 1e999", { payload: TEXT.replace(/"exp":\d+/, '"exp":1e999') }],
];

const parties: readonly Row[] = [
  ...keep("iss", [undefined, null, "", 1, {}, [ISSUER], `${ISSUER}/`, ISSUER.toUpperCase()]),
  ...keep("aud", [undefined, null, "", 1, [], ["x"], "dormouse//", "Dormouse", "dormouse "]),
  ...keep("aud", ["dormouse/", ["x", "dormouse"], ["x", "dormouse/"], [null, "dormouse"]]),
  ...keep("aud", [[["dormouse"]], { dormouse: true }, "x dormouse"]),
  ...keep("aud", [[1, "dormouse"]], "TO16"),
];

const header = (values: readonly object[], differs?: string): Row[] =>
  values.map((value) => [`the header ${JSON.stringify(value)}`, { header: value }, differs]);

const algorithm = (alg: unknown, bits = 256, differs?: string): Row => [
  `alg ${alg} over ${bits} bits`,
  { header: { alg }, bits },
  differs,
];

const headers = (): Row[] => [
  ...header([{ typ: undefined }, { typ: "jwt" }, { typ: "at+jwt" }, { typ: "AT+JWT" }]),
  ...header([{ typ: "application/jwt" }, { typ: "application/at+jwt" }]),
  ...header([{ typ: 1 }, { typ: ["JWT"] }, { typ: true }, { typ: {} }]),
  ...header([{ typ: null }, { typ: "" }, { typ: "JOSE" }, { typ: "dpop+jwt" }], "TO13"),
  ...header([{ typ: "logout+jwt" }, { typ: "JWT " }], "TO13"),
  ...header([{ crit: [] }, { crit: ["exp"] }, { crit: null }], "TO13"),
  ...header([{ crit: ["b64"], b64: false }, { b64: false }, { b64: true }], "TO13"),
  ...header([
    { kid: "" },
    { kid: null },
    { kid: "x" },
    { cty: "JWT" },
    { x5t: "x" },
    { jwk: null },
  ]),
  ...header([{ kid: 1 }], "TO16"),
  algorithm("HS384", 384),
  algorithm("HS512", 512),
  algorithm("HS512", 256),
  ...["hs256", "none", "HS256 ", "", null, undefined, "RS256"].map((alg) => algorithm(alg)),
  algorithm(`${XML}256`, 256, "TO14"),
];

const twice = (member: string): Parts => ({ payload: TEXT.replace(/}$/, `,${member}}`) });

const forms: readonly Row[] = [
  ["two subjects", twice('"sub":"root"'), "TO4"],
  ["two subjects, one escaped", twice('"s\\u0075b":"root"'), "TO4"],
  ["two audiences", twice('"aud":"other"')],
  ["two kids", { head: '{"alg":"HS256","kid":"a","kid":"b"}' }, "TO4"],
  ["two algorithms, the last good", { head: '{"alg":"none","alg":"HS256"}' }, "TO4"],
  ["two algorithms, the first good", { head: '{"alg":"HS256","alg":"none"}' }],
  ...["null", "[]", '"a"', "1", "{'a':1}", TEXT.replace("{", "{/**/")].map((payload): Row => [
    `the payload ${payload.slice(0, 12)}`,
    { payload },
  ]),
  ["a letter after the payload", { payload: `${TEXT}x` }, "TO16"],
  ["blanks around the payload", { payload: ` ${TEXT} ` }],
  ["a byte order mark", { payload: `\ufeff${TEXT}` }, "TO16"],
  ["70 arrays", { claims: { deep: JSON.parse(`${"[".repeat(70)}${"]".repeat(70)}`) } }, "TO16"],
  ["half a character", { payload: TEXT.replace("alice", "\\ud800") }],
  ["over 8,192 characters", { claims: { info: "x".repeat(9_000) } }, "TO16"],
  ["padding", { change: (token) => `${token}=` }, "TO16"],
  ["a line break after it", { change: (token) => `${token}\n` }],
  ["a blank before it", { change: (token) => ` ${token}` }],
  ["no signature", { change: (token) => token.replace(/[^.]+$/, "") }],
  ["a fourth part", { change: (token) => `${token}.x` }],
  ["a scheme before it", { change: (token) => `Bearer ${token}` }],
  ["nothing", { change: () => "" }],
];
