/** Reads a stream of server-sent events (WHATWG HTML, section 9.2.6) and keeps what came. */

/** One event as it came; `id` is the last one seen up to it. */
export type ReadEvent = {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
};

/** A reader of one stream, from its opening to its end. */
export class EventReader {
  readonly events: ReadEvent[] = [];
  readonly response: Response;
  comments = 0;
  ended = false;
  readonly #aborter: AbortController;
  #id = '';

  private constructor(response: Response, aborter: AbortController) {
    this.response = response;
    this.#aborter = aborter;
    this.#read().catch(() => {
      this.ended = true;
    });
  }

  static async open(address: string, headers: Record<string, string> = {}): Promise<EventReader> {
    const aborter = new AbortController();
    return new EventReader(await fetch(address, { headers, signal: aborter.signal }), aborter);
  }

  /** Waits until there is an event of which a claim holds. */
  async until(claim: (event: ReadEvent) => boolean, within = 15_000): Promise<ReadEvent> {
    for (const deadline = Date.now() + within; ; ) {
      const found = this.events.find(claim);
      if (found !== undefined) return found;
      if (Date.now() > deadline)
        throw new Error(`Never true: ${claim}; ${JSON.stringify(this.events)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  close(): void {
    this.#aborter.abort();
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let text = '';
    for await (const bytes of this.response.body ?? []) {
      text += decoder.decode(bytes, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) this.#enter(block);
    }
    this.ended = true;
  }

  #enter(block: string): void {
    if (block.startsWith(':')) {
      this.comments += 1;
      return;
    }
    const field = (name: string): string | undefined =>
      new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    this.#id = field('id') ?? this.#id;
    const data = JSON.parse(field('data') ?? '{}') as Record<string, unknown>;
    this.events.push({ event: field('event') ?? 'message', id: this.#id, data });
  }
}
