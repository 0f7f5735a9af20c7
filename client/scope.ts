/** Ownership: whoever acquires something puts it into a scope, and the scope ends it. */

/** Owns listeners, timers and resources; `dispose` ends them, the newest first. */
export class Scope {
  #disposers: (() => void)[] | null = [];

  get disposed(): boolean {
    return this.#disposers === null;
  }

  /** Runs `disposer` at the end, or at once when the end has already been. */
  add(disposer: () => void): void {
    if (this.#disposers === null) disposer();
    else this.#disposers.push(disposer);
  }

  /** Takes over something that is closed at the end. */
  own<T extends { close(): unknown }>(resource: T): T {
    this.add(() => void resource.close());
    return resource;
  }

  /** Listens to events of `target` until the end. */
  on(
    target: EventTarget,
    type: string,
    listener: (event: Event) => void,
    options: AddEventListenerOptions = {},
  ): void {
    target.addEventListener(type, listener, options);
    this.add(() => target.removeEventListener(type, listener, options));
  }

  /** Calls `tick` every `period` ms until the end. */
  every(period: number, tick: () => void): void {
    const timer = setInterval(tick, period);
    this.add(() => clearInterval(timer));
  }

  /** Calls `alarm` once after `wait` ms, unless the end comes first. */
  after(wait: number, alarm: () => void): void {
    const timer = setTimeout(alarm, wait);
    this.add(() => clearTimeout(timer));
  }

  dispose(): void {
    const disposers = this.#disposers ?? [];
    this.#disposers = null;
    for (const disposer of disposers.reverse()) disposer();
  }
}
