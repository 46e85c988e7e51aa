// Before each event of an object and each request, vitest's plugin imports the worker's module anew, and vitest asks
// Node twice for each import: where the module is, and whether it has changed. That costs more than most events do.
// What is evaluated is given at once here; a module that vitest has invalidated is imported as before.

interface EvaluatedModule {
  readonly evaluated: boolean;
  readonly exports?: unknown;
}

interface ModuleRunner {
  readonly evaluatedModules: { getModuleByUrl(url: string): EvaluatedModule | undefined };
  readonly vitestOptions: {
    readonly transport: { resolveId(id: string): Promise<{ readonly url: string } | null> };
  };
  import(id: string, options?: { readonly invalidate?: boolean }): Promise<unknown>;
}

const { moduleRunner } = Reflect.get(globalThis, "__vitest_mocker__") as {
  readonly moduleRunner: ModuleRunner;
};

/** URLs by the ids that were imported. */
const urls = new Map<string, string>();

if (!Object.hasOwn(moduleRunner, "import")) {
  const load = moduleRunner.import.bind(moduleRunner);
  const { transport } = moduleRunner.vitestOptions;
  const resolveId = transport.resolveId.bind(transport);
  transport.resolveId = async (id) => {
    const resolved = await resolveId(id);
    if (resolved) urls.set(id, resolved.url);
    return resolved;
  };
  moduleRunner.import = async (id, options) => {
    const found = moduleRunner.evaluatedModules.getModuleByUrl(urls.get(id) ?? "");
    return found?.evaluated && !options?.invalidate ? found.exports : load(id, options);
  };
}
