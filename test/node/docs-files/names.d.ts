// Names that code in the guides uses and neither declares nor imports: what stands for the reader's own application. A
// block's own declarations and imports come first.

declare const token: string;
declare const userId: string;
declare const sensor: AsyncIterable<number>;
declare function alert(text: string): void;
declare function fetchToken(): Promise<string>;
declare function freshToken(): Promise<string>;
declare function getAccessToken(): Promise<string>;
declare function handle(event: unknown, args?: unknown): Promise<void>;
declare function isNew(id: string): Promise<boolean>;
declare function load(): Promise<string>;
declare function pause(): Promise<void>;
declare function reload(room: string): Promise<void>;
declare function reloadAll(): Promise<void>;
declare function save(position: string): Promise<void>;
declare function show(...values: unknown[]): void;
declare const AppState: {
  addEventListener(event: "change", listener: (state: string) => void): void;
};
declare const NetInfo: {
  addEventListener(listener: (network: { readonly isConnected: boolean | null }) => void): void;
};
