// The same tokens to our endpoint's reader and to .NET's JsonWebTokenHandler (TokenHandlers/), which is the reference:
// whether each is valid, and the id and the roles that a hub then sees.

import { Refusal, verifyToken } from "../../src/auth/authenticate.ts";
import { AUDIENCE, ISSUER, oddTokens, type OddToken } from "./odd-tokens.ts";

interface Verdict {
  readonly valid: boolean;
  readonly id: string | null;
  readonly roles: readonly string[];
}

/** What .NET says of a token: one of ours, or one that it made itself. */
interface Judged extends Verdict {
  readonly name: string;
  readonly token: string;
}

/** Gives .NET's answer to a request on its standard input. */
export type AskDotnet = (request: string) => string;

/** Of 32 bytes, and of 64, with which HS384 and HS512 are accepted too. */
const SECRETS = [32, 64].map((length) =>
  "a secret that both sides share. ".repeat(2).slice(0, length),
);

/** Of the tokens that .NET makes, those without an id are refused here. */
const reasonOf = ({ name, token }: Judged, odd: readonly OddToken[]): string | undefined =>
  name.endsWith(", no id") ? "TO12" : odd.find((one) => one.token === token)?.differs;

type Outcome = "equal" | "documented" | "differs";

/** Prints each token on which the two differ without a documented reason, and the counts. Gives how many those are. */
export async function compareTokens(ask: AskDotnet): Promise<number> {
  const outcomes: Outcome[] = [];
  for (const secret of SECRETS) {
    const odd = oddTokens(secret);
    const tokens = odd.map(({ name, token }) => ({ name, token }));
    const request = { secret, issuer: ISSUER, audience: AUDIENCE, tokens };
    const judged = JSON.parse(ask(JSON.stringify(request))) as Judged[];
    // oxlint-disable-next-line no-await-in-loop -- one secret after the other
    for (const theirs of judged)
      outcomes.push(await compare(theirs, secret, reasonOf(theirs, odd)));
  }
  const count = (outcome: Outcome) => outcomes.filter((one) => one === outcome).length;
  const differs = count("differs");
  console.log(
    `tokens: equal ${count("equal")}, differs by documented design ${count("documented")}, differs ${differs}`,
  );
  return differs;
}

/** A documented difference that is none any more counts as a difference: the documents are wrong then. */
async function compare(theirs: Judged, secret: string, reason?: string): Promise<Outcome> {
  const ours = await judge(theirs.token, secret);
  const isEqual = told(ours) === told(theirs);
  if (isEqual && reason === undefined) return "equal";
  if (!isEqual && reason !== undefined) return "documented";
  const why = reason === undefined ? "" : ` (documented as different: ${reason})`;
  console.log(`DIFFERS ${theirs.name}${why}\n  .NET: ${told(theirs)}\n  ours: ${told(ours)}`);
  return "differs";
}

const told = ({ valid, id, roles }: Verdict): string =>
  valid ? JSON.stringify({ id, roles: roles.toSorted() }) : "refused";

async function judge(token: string, secret: string): Promise<Verdict> {
  const env = { JWT_SECRET: secret, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE };
  try {
    const { id, roles } = await verifyToken(token, env);
    return { valid: true, id, roles };
  } catch (error) {
    if (error instanceof Refusal) return { valid: false, id: null, roles: [] };
    throw error;
  }
}
