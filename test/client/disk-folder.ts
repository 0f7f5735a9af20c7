/** The browser's private files on a real disk: what `platform.openFolder` gives in these tests. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PrivateFolder } from '../../client/net/private-files.ts';

/** A folder in the system's temporary one, which a test can fill up and look into. */
export class DiskFolder implements PrivateFolder {
  readonly path: string;
  /** Bytes that may still be written before the disk is full. */
  space = Number.POSITIVE_INFINITY;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(): Promise<DiskFolder> {
    return new DiskFolder(await mkdtemp(join(tmpdir(), 'skywave-spool-')));
  }

  readonly open = async (): Promise<PrivateFolder> => this;

  list(): Promise<string[]> {
    return readdir(this.path);
  }

  async create(name: string) {
    const file = openSync(join(this.path, name), 'wx');
    return {
      append: (bytes: Uint8Array<ArrayBuffer>) => {
        this.space -= bytes.length;
        if (this.space < 0) throw new DOMException('No room is left.', 'QuotaExceededError');
        writeSync(file, bytes);
      },
      close: () => closeSync(file),
    };
  }

  async read(name: string) {
    return new Uint8Array(await readFile(join(this.path, name)));
  }

  async remove(name: string) {
    await rm(join(this.path, name), { force: true });
  }

  async room() {
    return this.space === Number.POSITIVE_INFINITY ? 10 * 2 ** 30 : this.space;
  }

  async dispose(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
