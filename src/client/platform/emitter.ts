// One kind of event and its listeners.

/** Removes the listener. Further calls have no effect. */
export type Unsubscribe = () => void;
/** A function that is called with every event. */
export type Listener<T> = (value: T) => void;

export interface Emitter<T> {
  /** Calls the listeners synchronously, in the order of subscription. An error in one does not reach the others. */
  emit(value: T): void;
  /**
   * A function added twice is called twice. A listener added during `emit` first gets the next event; one removed
   * during it gets none.
   */
  readonly listen: (listener: Listener<T>) => Unsubscribe;
}

export function emitter<T>(): Emitter<T> {
  const listeners = new Set<Listener<T>>();
  const events: T[] = [];
  return {
    emit: (value) => {
      // One that a listener causes comes behind the one that it has: all listeners get both in this order.
      if (events.push(value) > 1) return;
      try {
        for (const event of events)
          for (const run of [...listeners]) if (listeners.has(run)) run(event);
      } finally {
        // Also where a console throws, as that of a test may.
        events.length = 0;
      }
    },
    listen: (listener) => {
      // A function of its own for each subscription, so that the Set keeps two subscriptions of one listener apart.
      const run = (value: T) => runListener(() => listener(value));
      listeners.add(run);
      return () => void listeners.delete(run);
    },
  };
}

/**
 * Runs application code. Errors and rejections go to the console and never to the caller, so that one faulty listener
 * stops neither the other listeners nor the connection.
 */
export function runListener(run: () => unknown): void {
  try {
    const result = run();
    if (result instanceof Promise) result.catch(report);
  } catch (error) {
    report(error);
  }
}

const report = (error: unknown): void => console.error("A handler failed:", error);
