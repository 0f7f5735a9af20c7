/**
 * Brings what a spool holds to the server, one request at a time and never at the cost of what is
 * live: only while the caller is calm, for at most half of the time, and in smaller slices when the
 * line turns out to be thin.
 */
import { Backoff } from '../../shared/backoff.ts';
import type { SpoolTrouble } from './messages.ts';
import { type Platform, PlatformScope } from './platform.ts';
import { isGone } from './private-files.ts';
import { joined } from './segment.ts';
import type { Segment, Spool } from './spool.ts';
import { retryAfter } from './ticket.ts';

/** Bytes of a request at most; halved when live frames begin to wait or no answer comes in time. */
const MOST_SLICE = 256 * 1024;
const LEAST_SLICE = 16 * 1024;
/** Looks at whether live frames wait, ms. */
const CALM_EVERY = 250;
/** A request that has not been answered by then is taken for lost, ms. */
const ANSWER_WITHIN = 30_000;

type Answer =
  | { readonly is: 'taken' | 'disturbed' | 'too-slow' | 'too-large' }
  | { readonly is: 'later'; readonly after: number | null }
  | { readonly is: 'never'; readonly why: SpoolTrouble };

/** Uploads until its scope ends; `look` says that there may be something to do. */
export class SpoolUpload {
  readonly #spool: Spool;
  readonly #server: string;
  readonly #token: string;
  readonly #calm: () => boolean;
  readonly #platform: Platform;
  readonly #scope: PlatformScope;
  readonly #backoff: Backoff;
  readonly #asked = new Set<string>();
  readonly #refused = new Set<string>();
  #slice = MOST_SLICE;
  #busy = false;
  /** Bytes taken of segments that are all up, and of the present one. */
  #sent = 0;
  #within = 0;
  #request: AbortController | null = null;
  #trouble: SpoolTrouble | null = null;

  constructor(
    spool: Spool,
    options: {
      readonly server: string;
      readonly token: string;
      /** Whether live frames go out at once, so that the line has room. */
      readonly calm: () => boolean;
      readonly platform: Platform;
    },
  ) {
    this.#spool = spool;
    this.#server = options.server;
    this.#token = options.token;
    this.#calm = options.calm;
    this.#platform = options.platform;
    this.#scope = new PlatformScope(options.platform);
    this.#backoff = new Backoff({ random: options.platform.random });
  }

  get trouble(): SpoolTrouble | null {
    return this.#trouble;
  }

  /** Bytes that went up, and of how many, since there was last nothing to do; null now. */
  get progress(): { readonly sent: number; readonly whole: number } | null {
    if (!this.#busy) return null;
    const whole = this.#sent + this.#spool.unsentBytes(this.#wanted);
    return { sent: Math.min(this.#sent + this.#within, whole), whole };
  }

  /** What earlier visits left of a recording goes up too, refused before or not. */
  ask(recording: string): void {
    this.#asked.add(recording);
    this.#refused.delete(recording);
    this.#trouble = null;
    this.look();
  }

  look(): void {
    if (this.#busy || this.#scope.disposed) return;
    if (this.#spool.next(this.#wanted) === undefined) return;
    this.#busy = true;
    void this.#bringAll().finally(() => {
      this.#busy = false;
      this.#sent = 0;
    });
  }

  dispose(): void {
    this.#scope.dispose();
    this.#request?.abort();
  }

  readonly #wanted = ({ recording, owed }: Segment): boolean =>
    !this.#refused.has(recording) && (owed !== null || this.#asked.has(recording));

  async #bringAll(): Promise<void> {
    for (;;) {
      const segment = this.#spool.next(this.#wanted);
      if (segment === undefined || this.#scope.disposed) return;
      await this.#bring(segment);
    }
  }

  /** A segment, slice by slice; what was taken of it is not sent again in this visit. */
  async #bring(segment: Segment): Promise<void> {
    this.#within = 0;
    const records = await this.#read(segment);
    if (records === 'gone') return this.#spool.forget(segment);
    if (records === 'unreadable') return this.#refuse(segment, 'failed');
    for (let at = 0; at < records.length; ) {
      if (!this.#calm()) {
        await this.#wait(CALM_EVERY);
        if (this.#scope.disposed) return;
        continue;
      }
      const end = this.#sliceEnd(records, at);
      const began = this.#platform.now();
      const answer = await this.#put(segment, joined(records.slice(at, end)));
      if (this.#scope.disposed) return;
      const took = this.#platform.now() - began;
      if (answer.is === 'never') return this.#refuse(segment, answer.why);
      if (answer.is === 'taken') {
        this.#within += records.slice(at, end).reduce((sum, { length }) => sum + length, 0);
        at = end;
        this.#backoff.reset();
        // Twice as much has to be answered in time as well.
        if (took * 2 < ANSWER_WITHIN) this.#slice = Math.min(MOST_SLICE, this.#slice * 2);
      } else if (answer.is !== 'later') this.#slice = Math.max(LEAST_SLICE, this.#slice / 2);
      const wait =
        answer.is === 'later' ? (answer.after ?? this.#backoff.next()) : Math.max(took, 0);
      await this.#wait(wait);
    }
    this.#sent += this.#within;
    this.#within = 0;
    this.#spool.uploaded(segment);
  }

  async #read(segment: Segment): Promise<Uint8Array<ArrayBuffer>[] | 'gone' | 'unreadable'> {
    try {
      return await this.#spool.records(segment);
    } catch (error) {
      // Only a file that is not there has nothing more to bring; any other may be readable later.
      return isGone(error) ? 'gone' : 'unreadable';
    }
  }

  #sliceEnd(records: readonly Uint8Array[], at: number): number {
    let bytes = 0;
    let end = at;
    do {
      bytes += records[end]?.length ?? 0;
      end += 1;
    } while (end < records.length && bytes + (records[end]?.length ?? 0) <= this.#slice);
    return end;
  }

  #refuse({ recording }: Segment, why: SpoolTrouble): void {
    this.#refused.add(recording);
    this.#trouble = why;
  }

  async #put(segment: Segment, body: Uint8Array<ArrayBuffer>): Promise<Answer> {
    const { recording, epoch } = segment;
    const tail = `epoch=${epoch}&last=${this.#spool.newestOf(segment)}`;
    const aborter = new AbortController();
    const request = new PlatformScope(this.#platform);
    this.#request = aborter;
    let answer: Answer = { is: 'later', after: null };
    request.after(ANSWER_WITHIN, () => {
      answer = { is: 'too-slow' };
      aborter.abort();
    });
    request.every(CALM_EVERY, () => {
      if (this.#calm() || this.#slice <= LEAST_SLICE) return;
      answer = { is: 'disturbed' };
      aborter.abort();
    });
    try {
      const response = await this.#platform.fetch(
        `${this.#server}/api/v1/recordings/${encodeURIComponent(recording)}/frames?${tail}`,
        {
          method: 'PUT',
          headers: {
            authorization: `Bearer ${this.#token}`,
            'content-type': 'application/octet-stream',
          },
          body,
          signal: aborter.signal,
        },
      );
      return this.#judge(response);
    } catch {
      return answer;
    } finally {
      request.dispose();
    }
  }

  #judge({ status, headers }: Response): Answer {
    if (status >= 200 && status < 300) return { is: 'taken' };
    if (status === 401 || status === 403) return { is: 'never', why: 'token' };
    if (status === 413 && this.#slice > LEAST_SLICE) return { is: 'too-large' };
    if (status === 408 || status === 429 || status >= 500)
      return {
        is: 'later',
        after: retryAfter(headers.get('retry-after'), this.#platform.wall()),
      };
    return { is: 'never', why: 'refused' };
  }

  #wait(span: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#scope.disposed) return resolve();
      this.#scope.after(span, resolve);
    });
  }
}
