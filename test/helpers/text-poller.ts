/** Reads one text again and again; what a dead server does not answer is left out. */
const EVERY = 150;

/** Polls until closed. */
export class TextPoller {
  /** Every text that differed from the one before. */
  readonly texts: string[] = [];
  readonly url: string;
  #reading: Promise<unknown> = Promise.resolve();
  #stopped = false;
  /** Answers other than 200. */
  refused = 0;

  constructor(url: string) {
    this.url = url;
    void this.#poll();
  }

  /** The text as it stands now; one request after the other, so that none overtakes another. */
  read(): Promise<string> {
    const reading = this.#reading.then(() => this.#fetch());
    this.#reading = reading.catch(() => {});
    return reading;
  }

  close(): void {
    this.#stopped = true;
  }

  async #poll(): Promise<void> {
    while (!this.#stopped) {
      await this.read().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }

  async #fetch(): Promise<string> {
    const answer = await fetch(this.url);
    const text = await answer.text();
    if (answer.status !== 200) this.refused += 1;
    else if (text !== this.texts.at(-1)) this.texts.push(text);
    return answer.status === 200 ? text : '';
  }
}

/** Address of the first media playlist of a multivariant one; undefined while there is none. */
export const mediaPlaylistOf = async (multivariant: string): Promise<string | undefined> => {
  const answer = await fetch(multivariant);
  const text = await answer.text();
  const uri = text.split('\n').find((line) => line !== '' && !line.startsWith('#'));
  return answer.status === 200 && uri !== undefined ? new URL(uri, multivariant).href : undefined;
};
