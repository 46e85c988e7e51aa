// Work that is repeated while the page is looked at.

/**
 * Runs the work at once, and again each time so long after its end, until the signal. While the page is hidden it rests;
 * it runs at once when the page is shown again. The work never rejects.
 */
export function every(ms: number, signal: AbortSignal, work: () => Promise<void>): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isRunning = false;
  const run = async (): Promise<void> => {
    if (signal.aborted || isRunning || document.hidden) return;
    isRunning = true;
    clearTimeout(timer);
    await work();
    isRunning = false;
    if (!signal.aborted) timer = setTimeout(() => void run(), ms);
  };
  document.addEventListener("visibilitychange", () => void run(), { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  void run();
}
