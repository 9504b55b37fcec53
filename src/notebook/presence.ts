/**
 * Who has a panel open: each holds an answer that never ends. A page that is
 * closed, or a panel that is taken out of it, lets go of its own, even in a tab
 * in the background, whose timers a browser slows down.
 */
export class Presence {
  /** Resolves when nobody has held an answer for too long, after somebody had. */
  readonly gone: Promise<void>;
  readonly #patience: number;
  readonly #resolve: () => void;
  readonly #held = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param patience Milliseconds for which nobody may hold an answer. */
  constructor(patience: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gone = promise;
    this.#resolve = resolve;
    this.#patience = patience;
  }

  /** The body of an answer to hold. */
  hold(): ReadableStream<Uint8Array> {
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream({
      start: (controller) => {
        own = controller;
        clearTimeout(this.#timer);
        this.#held.add(own);
        own.enqueue(new TextEncoder().encode("\n")); // with it the headers go
      },
      cancel: () => {
        if (!this.#held.delete(own) || this.#held.size > 0) return;
        this.#timer = setTimeout(this.#resolve, this.#patience);
      },
    });
  }

  /** Nobody need be waited for, unless somebody holds an answer. */
  leave(): void {
    if (this.#held.size === 0) this.#resolve();
  }

  /**
   * Ends every answer: the question is over.
   *
   * @param how What was picked; empty where nothing was.
   */
  close(how: string): void {
    clearTimeout(this.#timer);
    const held = [...this.#held];
    this.#held.clear();
    for (const one of held) {
      one.enqueue(new TextEncoder().encode(how));
      one.close();
    }
  }
}
