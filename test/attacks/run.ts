// `npm run attack -- NAME…`: attacks at full size against the worker as it is deployed. --help tells how.

import { parseArgs } from "node:util";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Report } from "./attack.ts";
import { ATTACKS } from "./attacks.ts";
import { runAttack } from "./run-attack.ts";
import { tableOf } from "./table.ts";

const HELP = `npm run attack -- NAME…
  these attacks, one after another; all: every one. The exit code is 1 where a bound is broken:
  bystanders' p99 above twice the undisturbed, more on the heap than the budget of an object and a fifth, or what the
  attack itself tells.

  --root FOLDER     the checkout whose src/ is attacked; default: this one
  --seconds N       how long floods last; default 10
  --members N       bystanders; default 200
  --per-second N    messages to each of them; default 50
  --json FILE       writes what was measured as well
  --help            this

${ATTACKS.map(({ name, title, takes }) => `  ${name.padEnd(10)}${title} (${takes} s)`).join("\n")}
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    root: { type: "string", default: join(import.meta.dirname, "../..") },
    seconds: { type: "string", default: "10" },
    members: { type: "string", default: "200" },
    "per-second": { type: "string", default: "50" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

async function main(): Promise<number> {
  const unknown = positionals.filter(
    (name) => name !== "all" && !ATTACKS.some((one) => one.name === name),
  );
  if (values.help || positionals.length === 0 || unknown.length > 0) {
    console.log(unknown.length > 0 ? `There is no ${unknown.join(", ")}.\n\n${HELP}` : HELP);
    return values.help ? 0 : 2;
  }
  const chosen = positionals.includes("all")
    ? ATTACKS
    : ATTACKS.filter(({ name }) => positionals.includes(name));
  const reports: Report[] = [];
  for (const attack of chosen) {
    console.error(`${attack.name}: ${attack.title} …`);
    const crowd = { members: Number(values.members), perSecond: Number(values["per-second"]) };
    const options = { root: resolve(values.root), seconds: Number(values.seconds), crowd };
    // oxlint-disable-next-line no-await-in-loop -- one at a time: each measures the machine
    reports.push(await runAttack(attack, options).catch((error: Error) => failed(attack, error)));
    const { under } = reports.at(-1)!;
    if (under) console.error(`  p99 of each second: ${under.seconds.join(" ")}`);
    if (values.json !== undefined)
      writeFileSync(values.json, JSON.stringify(reports, undefined, 1));
  }
  console.log(tableOf(reports));
  return reports.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

const failed = ({ name, title }: Pick<Report, "name" | "title">, error: Error): Report => ({
  ...{ name, title, facts: [], failures: [`it failed itself: ${error.stack ?? error.message}`] },
});

// Servers, bystanders and folders end with this process.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => process.exit(130));
process.exit(await main());
