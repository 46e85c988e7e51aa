// Types as stable text: names for types of this project, each defined once; everything else in full. Members are in
// alphabetical order and without `readonly`, which no wire has.

import ts from "@tsd/typescript";

export class TypePrinter {
  readonly #checker: ts.TypeChecker;
  readonly #root: string;
  readonly #named = new Map<string, ts.Type>();

  /** Types that are declared below `root` are named. */
  constructor(checker: ts.TypeChecker, root: string) {
    [this.#checker, this.#root] = [checker, root];
  }

  /** The methods of a class that others may call, a line each. */
  methods(type: ts.Type): string {
    const methods = this.#properties(type).filter((one) => isMethod(one) && this.#isOurs(one));
    const lines = methods.map((symbol) => {
      const [signature] = this.#checker.getTypeOfSymbol(symbol).getCallSignatures();
      return `  ${symbol.name}${this.#signature(signature!, ":")}`;
    });
    return lines.join("\n");
  }

  /** The types that were named so far, and those that they name: a block of text for each. */
  definitions(): string[] {
    const blocks = new Map<string, string>();
    // Types that are named meanwhile come last.
    for (const [name, type] of this.#named) {
      const lines = new Set(this.#parts(type));
      blocks.set(name, [`type ${name}`, ...[...lines].toSorted()].join("\n  "));
    }
    return [...blocks].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, block]) => block);
  }

  text(type: ts.Type): string {
    const name = this.#nameOf(type);
    if (name === undefined) return this.#inFull(type);
    const known = this.#named.get(name);
    if (known && declared(known) !== declared(type))
      throw new Error(`Two types have the name ${name}: one of them would be left out.`);
    if (!known) this.#named.set(name, type);
    return name;
  }

  /** The lines of a definition. */
  #parts(type: ts.Type): string[] {
    if (type.isUnion()) return type.types.map((one) => `| ${this.text(one)}`);
    const isWhole = this.#checker.isArrayLikeType(type) || this.#isOfPlatform(type);
    return isWhole ? [this.#inFull(type)] : this.#members(type);
  }

  /** Undefined: the type has none of ours. */
  #nameOf(type: ts.Type): string | undefined {
    const { aliasSymbol: alias, symbol } = type;
    if (alias && this.#isOurs(alias)) return this.#withArguments(alias, type.aliasTypeArguments);
    const isNamed = isDeclared(symbol) && this.#isOurs(symbol);
    return isNamed ? this.#withArguments(symbol, this.#argumentsOf(type)) : undefined;
  }

  #isOurs({ declarations = [] }: ts.Symbol): boolean {
    return declarations.some((one) => one.getSourceFile().fileName.startsWith(this.#root));
  }

  #isOfPlatform({ symbol }: ts.Type): boolean {
    return isDeclared(symbol) && !this.#isOurs(symbol);
  }

  #argumentsOf(type: ts.Type): readonly ts.Type[] {
    const all = isReference(type) ? this.#checker.getTypeArguments(type) : [];
    return all.filter((one) => !isThis(one));
  }

  #withArguments({ name }: ts.Symbol, types: readonly ts.Type[] = []): string {
    return types.length > 0 ? `${name}<${types.map((one) => this.text(one)).join(", ")}>` : name;
  }

  #inFull(type: ts.Type): string {
    if (type.isUnion()) return this.#union(type.types);
    if (!(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)))
      return this.#checker.typeToString(type);
    if (this.#checker.isTupleType(type)) return this.#tuple(type as ts.TupleTypeReference);
    if (this.#checker.isArrayType(type))
      return `${inArray(this.text(this.#argumentsOf(type)[0]!))}[]`;
    const [signature] = type.getCallSignatures();
    if (signature) return `(${this.#signature(signature, " =>")})`;
    if (this.#isOfPlatform(type)) {
      const isHolder = HOLDERS.has(type.symbol.name);
      return this.#withArguments(type.symbol, isHolder ? this.#argumentsOf(type) : []);
    }
    const members = this.#members(type);
    return members.length > 0 ? `{ ${members.join("; ")} }` : this.#checker.typeToString(type);
  }

  #union(types: readonly ts.Type[]): string {
    const texts = new Set(types.map((one) => this.text(one)));
    if (texts.delete("false") && texts.delete("true")) texts.add("boolean");
    return [...texts].toSorted().join(" | ");
  }

  #tuple(type: ts.TupleTypeReference): string {
    const { elementFlags, labeledElementDeclarations: labels } = type.target;
    const parts = this.#argumentsOf(type).map((one, index) => {
      const isOptional = (elementFlags[index]! & ts.ElementFlags.Optional) !== 0;
      const rest = elementFlags[index]! & ts.ElementFlags.Rest ? "..." : "";
      const [label, mark] = [labels?.[index]?.name.getText(), isOptional ? "?" : ""];
      const text = this.text(isOptional ? this.#present(one) : one);
      return rest + (label === undefined ? text + mark : `${label}${mark}: ${text}`);
    });
    return `[${parts.join(", ")}]`;
  }

  #members(type: ts.Type): string[] {
    const keys = this.#checker
      .getIndexInfosOfType(type)
      .map((one) => `[${this.text(one.keyType)}]: ${this.text(one.type)}`);
    return [...keys, ...this.#properties(type).map((symbol) => this.#member(symbol))];
  }

  #properties(type: ts.Type): ts.Symbol[] {
    return this.#checker.getPropertiesOfType(type).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #member(symbol: ts.Symbol): string {
    const isOptional = (symbol.flags & ts.SymbolFlags.Optional) !== 0;
    return this.#typed(symbol.name, symbol, isOptional);
  }

  #typed(name: string, symbol: ts.Symbol, isOptional: boolean): string {
    const type = this.#checker.getTypeOfSymbol(symbol);
    return isOptional
      ? `${name}?: ${this.text(this.#present(type))}`
      : `${name}: ${this.text(type)}`;
  }

  /** Without undefined; null stays. */
  #present(type: ts.Type): ts.Type {
    const isNullable = type.isUnion() && type.types.some((one) => one.flags & ts.TypeFlags.Null);
    return isNullable ? type : this.#checker.getNonNullableType(type);
  }

  #signature(signature: ts.Signature, arrow: ":" | " =>"): string {
    const parameters = signature.parameters.map((symbol) => {
      const declaration = symbol.valueDeclaration as ts.ParameterDeclaration;
      const rest = declaration.dotDotDotToken ? "..." : "";
      const name = ts.isIdentifier(declaration.name) ? symbol.name : "all";
      return rest + this.#typed(name, symbol, this.#checker.isOptionalParameter(declaration));
    });
    return `(${parameters.join(", ")})${arrow} ${this.text(signature.getReturnType())}`;
  }
}

/** Types of the platform whose arguments matter. */
const HOLDERS: ReadonlySet<string> = new Set([
  "Promise",
  "Map",
  "ReadonlyMap",
  "Set",
  "ReadonlySet",
]);

const inArray = (text: string): string => (text.includes(" | ") ? `(${text})` : text);

const isDeclared = (symbol: ts.Symbol | undefined): symbol is ts.Symbol =>
  symbol !== undefined && (symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.Class)) !== 0;

const declared = ({ aliasSymbol, symbol }: ts.Type): ts.Symbol => aliasSymbol ?? symbol;

const isReference = (type: ts.Type): type is ts.TypeReference =>
  (((type as ts.ObjectType).objectFlags ?? 0) & ts.ObjectFlags.Reference) !== 0;

const isThis = (type: ts.Type): boolean =>
  (type as ts.TypeParameter & { readonly isThisType?: boolean }).isThisType === true;

/** Handlers of the platform are no calls of ours. */
const HANDLERS: ReadonlySet<string> = new Set([
  "fetch",
  "alarm",
  "webSocketMessage",
  "webSocketClose",
  "webSocketError",
]);

/** What is private or protected is not for others. */
function isMethod({ name, valueDeclaration: declaration }: ts.Symbol): boolean {
  if (!declaration || !ts.isMethodDeclaration(declaration) || HANDLERS.has(name)) return false;
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
  const isHidden = (ts.getCombinedModifierFlags(declaration) & hidden) !== 0;
  return !ts.isPrivateIdentifier(declaration.name) && !isHidden;
}
