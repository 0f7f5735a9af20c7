/** A spool and its upload, and what a page is told of both. */
import type { Destination, SpoolEvent } from './messages.ts';
import type { Platform } from './platform.ts';
import { Spool } from './spool.ts';
import { SpoolUpload } from './spool-upload.ts';

/** The lock of whoever is on the air on a channel from this browser. */
export const claimName = ({ server, channel }: Destination): string =>
  `skywave on air ${server} ${channel}`;

/** One channel's spool in this browser, with its way to the server. */
export class SpoolDesk {
  readonly spool: Spool;
  readonly upload: SpoolUpload;
  readonly #post: (event: SpoolEvent) => void;
  /** What was told last, as text; at first as if nothing were there. */
  #told = JSON.stringify({ type: 'spool', parts: [], upload: null, trouble: null });

  constructor(
    { server, channel, token }: Destination & { readonly token: string },
    options: {
      readonly calm: () => boolean;
      readonly platform: Platform;
      readonly post: (event: SpoolEvent) => void;
    },
  ) {
    const { calm, platform, post } = options;
    this.spool = new Spool(platform.openFolder(encodeURIComponent(channel)), platform);
    this.upload = new SpoolUpload(this.spool, { server, token, calm, platform });
    this.#post = post;
  }

  /** Starts what is due, and tells what has changed. */
  look(): void {
    this.upload.look();
    const event: SpoolEvent = {
      type: 'spool',
      parts: this.spool.parts,
      upload: this.upload.progress,
      trouble: this.upload.trouble ?? this.spool.trouble,
    };
    const text = JSON.stringify(event);
    if (text === this.#told) return;
    this.#told = text;
    this.#post(event);
  }

  /** Somebody wants the unsent parts of these recordings to go up. */
  ask(recordings: readonly string[]): void {
    for (const recording of recordings) this.upload.ask(recording);
    this.look();
  }

  /** Somebody gives an unsent part up. */
  discard(recording: string): void {
    this.spool.discard(recording);
    this.look();
  }
}
