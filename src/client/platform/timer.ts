// A single timer. Setting it again cancels the previous delay, so at most one callback is pending.

export class Timer {
  #id: ReturnType<typeof setTimeout> | undefined;

  /** A callback is pending. False as soon as the callback starts. */
  get isSet(): boolean {
    return this.#id !== undefined;
  }

  set(run: () => void, delayMs: number): void {
    this.clear();
    this.#id = setTimeout(() => {
      this.#id = undefined;
      run();
    }, delayMs);
  }

  clear(): void {
    if (this.#id === undefined) return;
    clearTimeout(this.#id);
    this.#id = undefined;
  }
}
