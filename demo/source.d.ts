// Text of a source file, which scripts/bundle-page.ts puts in place of the import.
declare module "source:*" {
  const text: string;
  export default text;
}
