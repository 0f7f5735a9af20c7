/** Playlists rendered and compressed once, and the same bytes for everybody who asks. */
import { createHash } from 'node:crypto';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';

/** Level 4: a playlist is a tenth smaller than by gzip, at its cost; 11 takes a hundred times as long. */
const BROTLI = { params: { [zlib.BROTLI_PARAM_QUALITY]: 4 } };

/** What was done so far to bring texts onto the wire. */
export type RenderCosts = { readonly renders: number; readonly compressions: number };

/** How a text goes over the wire. */
export type Encoding = 'br' | 'gzip' | 'identity';

/** A text in one encoding: as bytes, and as a string of one character a byte. */
export type Encoded = { readonly bytes: Buffer; readonly latin1: string };

const ENCODERS: Readonly<Record<Encoding, (text: Buffer) => Buffer>> = {
  br: (text) => brotliCompressSync(text, BROTLI),
  gzip: (text) => gzipSync(text),
  identity: (text) => text,
};

/** A text ready for the wire. The buffers are shared: nobody may write into them. */
export class Rendered {
  readonly text: Buffer;
  /** Weak, so that it holds for all encodings (RFC 9110 section 8.8.3). */
  readonly etag: string;
  readonly #encoded = new Map<Encoding, Encoded>();

  constructor(text: string) {
    this.text = Buffer.from(text);
    const digest = createHash('sha256').update(this.text).digest('base64url').slice(0, 16);
    this.etag = `W/"${digest}"`;
  }

  /** How often it was compressed: once an encoding that somebody has asked for. */
  get compressions(): number {
    return this.#encoded.size - (this.#encoded.has('identity') ? 1 : 0);
  }

  /** The text in an encoding, made when it is first asked for. */
  in(encoding: Encoding): Encoded {
    let encoded = this.#encoded.get(encoding);
    if (encoded === undefined) {
      const bytes = ENCODERS[encoding](this.text);
      encoded = { bytes, latin1: bytes.toString('latin1') };
      this.#encoded.set(encoding, encoded);
    }
    return encoded;
  }
}

/** Texts by name, each kept until its version changes. There are as many as there are names. */
export class RenderCache<Name> {
  readonly #kept = new Map<
    Name,
    { readonly version: string | number; readonly rendered: Rendered }
  >();
  #renders = 0;
  /** Of texts that are forgotten. */
  #compressions = 0;

  get costs(): RenderCosts {
    let compressions = this.#compressions;
    for (const { rendered } of this.#kept.values()) compressions += rendered.compressions;
    return { renders: this.#renders, compressions };
  }

  /** The text of a name as it stands at a version; `render` makes it where it is not known yet. */
  get(name: Name, version: string | number, render: () => string): Rendered {
    const kept = this.#kept.get(name);
    if (kept?.version === version) return kept.rendered;
    this.#renders += 1;
    this.#compressions += kept?.rendered.compressions ?? 0;
    const rendered = new Rendered(render());
    this.#kept.set(name, { version, rendered });
    return rendered;
  }
}
