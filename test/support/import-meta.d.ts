interface ImportMeta {
  /** Vite's: the files that match. */
  glob(
    pattern: string,
    options: { eager: true; query: "?raw"; import: "default" },
  ): Record<string, string>;
}
