// The command line: what it says, and questions for the rest.

import { parseArgs } from "node:util";
import * as prompts from "@clack/prompts";
import { isTemplate, obstacle, TEMPLATES, type TemplateName } from "./templates.ts";

export const HELP = `Usage: npm create dormouse-hubs@latest [folder] -- [options]

Makes a project with dormouse-hubs in a new folder.

  --template <name>    ${TEMPLATES.map(({ name }) => name).join(", ")}. Default: minimal.
  --install            Installs the packages; --no-install does not.
  --yes                Takes the defaults for options that are not given, without prompts; as without a terminal.
  --dormouse <spec>    Another version of dormouse-hubs, or the path of its tarball (file:…).
  -h, --help           This text.
`;

export interface Options {
  readonly folder: string;
  readonly template: TemplateName;
  readonly install: boolean;
  readonly dormouse: string | undefined;
}

/** An error of the command line. */
export class UsageError extends Error {}

/** The user has left the questions. */
export class Cancelled extends Error {}

const FLAGS = {
  template: { type: "string" },
  install: { type: "boolean" },
  yes: { type: "boolean", default: false },
  dormouse: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

export async function readOptions(args: string[], isTerminal: boolean): Promise<Options | "help"> {
  const { values, positionals } = parseArgs({
    ...{ args, options: FLAGS, allowPositionals: true, allowNegative: true },
  });
  if (values.help) return "help";
  const [folder, ...rest] = positionals;
  if (folder === "" || rest.length > 0) throw new UsageError("Name one folder.");
  const { template, dormouse } = values;
  if (template !== undefined && !isTemplate(template))
    throw new UsageError(`There is no template ${template}. Templates: ${names()}.`);
  const said = { folder, template, install: values.install };
  const asked = isTerminal && !values.yes ? await questions(said) : defaults(said);
  return { ...asked, dormouse };
}

const names = (): string => TEMPLATES.map(({ name }) => name).join(", ");

interface Said {
  readonly folder: string | undefined;
  readonly template: TemplateName | undefined;
  readonly install: boolean | undefined;
}

const DEFAULTS = { folder: "my-app", template: "minimal", install: false } as const;

const defaults = ({ folder, template, install }: Said) => ({
  folder: folder ?? DEFAULTS.folder,
  template: template ?? DEFAULTS.template,
  install: install ?? DEFAULTS.install,
});

async function questions(said: Said): Promise<Omit<Options, "dormouse">> {
  prompts.intro("A project with Dormouse");
  const folder =
    said.folder ??
    answered(
      await prompts.text({
        ...{
          message: "Which folder?",
          placeholder: DEFAULTS.folder,
          defaultValue: DEFAULTS.folder,
        },
        validate: (value) => obstacle(value || DEFAULTS.folder),
      }),
    );
  const template =
    said.template ??
    answered(
      await prompts.select<TemplateName>({
        message: "Which template?",
        options: TEMPLATES.map(({ name, label, hint }) => ({ value: name, label, hint })),
      }),
    );
  const install =
    said.install ?? answered(await prompts.confirm({ message: "Install its packages now?" }));
  return { folder, template, install };
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (prompts.isCancel(answer)) throw new Cancelled();
  return answer as Exclude<T, symbol>;
}
