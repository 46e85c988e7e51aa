// One kind of event and its listeners.

/** Removes the listener. Further calls have no effect. */
export type Unsubscribe = () => void;
/** A function that is called with every event. */
export type Listener<T> = (value: T) => void;

export interface Emitter<T> {
  /** Calls the listeners synchronously, in the order of subscription. An error in one does not reach the others. */
  emit(value: T): void;
  /**
   * A function added twice is called twice. A listener that is added during `emit` gets the next event first; one that
   * is removed during it is not called any more.
   */
  readonly listen: (listener: Listener<T>) => Unsubscribe;
}

/** If `isOpen` returns false, further events are dropped. One that is under way still reaches all listeners. */
export function emitter<T>(isOpen = () => true): Emitter<T> {
  const listeners = new Set<Listener<T>>();
  const events: T[] = [];
  return {
    emit: (value) => {
      // An event that a listener emits is queued: all listeners get both events in the same order.
      if (!isOpen() || events.push(value) > 1) return;
      try {
        for (const event of events)
          for (const run of [...listeners]) if (listeners.has(run)) run(event);
      } finally {
        // In `finally`, because a console may throw, as in tests.
        events.length = 0;
      }
    },
    listen: (listener) => {
      // A new function for each subscription, so that the Set can hold a listener that was added twice.
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
