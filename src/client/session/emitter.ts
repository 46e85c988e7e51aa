// Something that happens, and who wants to know.

export type Unsubscribe = () => void;
export type Listener<T> = (value: T) => void;

export interface Signal<T> {
  emit(value: T): void;
  readonly listen: (listener: Listener<T>) => Unsubscribe;
}

export function signal<T>(): Signal<T> {
  const listeners = new Set<{ readonly hear: Listener<T> }>();
  return {
    emit: (value) => {
      for (const { hear } of [...listeners]) contained(() => hear(value));
    },
    // Wrapped, so that one function listening twice is two listeners.
    listen: (hear) => {
      const entry = { hear };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
}

/** Runs code of the application: what it throws is its own, and must not stop what comes after. */
export function contained(run: () => unknown): void {
  try {
    const result = run();
    if (result instanceof Promise) result.catch(report);
  } catch (error) {
    report(error);
  }
}

const report = (error: unknown): void => console.error("A handler failed:", error);
