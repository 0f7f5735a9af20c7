/** Playlists rendered and compressed once, and the same bytes for everybody who asks. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** A text ready for the wire. The buffers are shared: nobody may write into them. */
export type Rendered = {
  readonly text: Buffer;
  readonly gzip: Buffer;
  /** Weak, so that it holds for both encodings (RFC 9110 section 8.8.3). */
  readonly etag: string;
};

/** Makes a text ready for the wire. */
export const rendered = (text: string): Rendered => {
  const bytes = Buffer.from(text);
  const digest = createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
  return { text: bytes, gzip: gzipSync(bytes), etag: `W/"${digest}"` };
};

/** The newest version of one playlist, in full and as a delta update. */
export class RenderCache {
  readonly #render: (skip: boolean) => string;
  #version = -1;
  #kept = new Map<boolean, Rendered>();
  #renders = 0;

  /** `render` gives the text as it stands now. */
  constructor(render: (skip: boolean) => string) {
    this.#render = render;
  }

  /** How often something was rendered. */
  get renders(): number {
    return this.#renders;
  }

  /** `version` changes with every part, every title and the end; an older one is forgotten. */
  get(version: number, skip: boolean): Rendered {
    if (version !== this.#version) this.#kept = new Map();
    this.#version = version;
    const kept = this.#kept.get(skip);
    if (kept !== undefined) return kept;
    this.#renders += 1;
    const made = rendered(this.#render(skip));
    this.#kept.set(skip, made);
    return made;
  }
}
