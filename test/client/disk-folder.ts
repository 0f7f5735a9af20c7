/** The browser's private files on a real disk: what `platform.openFolder` gives in these tests. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
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
    try {
      return new Uint8Array(await readFile(join(this.path, name)));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      throw new DOMException(`There is no ${name}.`, 'NotFoundError');
    }
  }

  /** Nobody can read a file from now on; what it returns gives it back. */
  async spoil(name: string): Promise<() => Promise<void>> {
    const path = join(this.path, name);
    const aside = await mkdtemp(join(tmpdir(), 'skywave-aside-'));
    await rename(path, join(aside, name));
    await mkdir(path);
    return async () => {
      await rmdir(path);
      await rename(join(aside, name), path);
      await rmdir(aside);
    };
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
