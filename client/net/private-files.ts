/** The browser's private file system, as little of it as a spool needs, so that tests can use a disk. */

/** A file that is only ever added to. */
export interface PrivateFile {
  /** @throws when the disk or the browser's allowance is full. */
  append(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** One flat folder that this site alone can see. */
export interface PrivateFolder {
  /** Names of its files, in no order. */
  list(): Promise<string[]>;
  create(name: string): Promise<PrivateFile>;
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** A file that is not there any more is no error. */
  remove(name: string): Promise<void>;
  /** Bytes the browser would still give us. */
  room(): Promise<number>;
}

/** Whether an error says that a file is not there, and not only that it cannot be read. */
export const isGone = (error: unknown): boolean =>
  error instanceof DOMException && error.name === 'NotFoundError';

/** What TypeScript's DOM leaves out: it exists in dedicated workers only. */
type SyncHandle = {
  write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  flush(): void;
  close(): void;
};
type WorkerFileHandle = FileSystemFileHandle & {
  createSyncAccessHandle?: () => Promise<SyncHandle>;
};

const append = (handle: SyncHandle): PrivateFile => {
  let at = 0;
  return {
    append: (bytes) => {
      const written = handle.write(bytes, { at });
      if (written < bytes.length)
        throw new DOMException(
          `Of ${bytes.length} bytes ${written} were written.`,
          'QuotaExceededError',
        );
      at += written;
    },
    close: () => {
      try {
        handle.flush();
      } finally {
        handle.close();
      }
    },
  };
};

/**
 * Opens (and makes) a folder below `spool`; null where the browser has no private files, as in some
 * private windows.
 */
export const openPrivateFolder = async (name: string): Promise<PrivateFolder | null> => {
  try {
    const root = await navigator.storage.getDirectory();
    const spools = await root.getDirectoryHandle('spool', { create: true });
    const folder = await spools.getDirectoryHandle(name, { create: true });
    if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return null;
    return {
      list: async () => {
        const names: string[] = [];
        for await (const name of folder.keys()) names.push(name);
        return names;
      },
      create: async (file) => {
        const handle: WorkerFileHandle = await folder.getFileHandle(file, { create: true });
        const sync = await handle.createSyncAccessHandle?.();
        if (sync === undefined) throw new DOMException('No access.', 'NotSupportedError');
        return append(sync);
      },
      read: async (file) => {
        const bytes = await (await (await folder.getFileHandle(file)).getFile()).arrayBuffer();
        return new Uint8Array(bytes);
      },
      remove: async (file) => {
        try {
          await folder.removeEntry(file);
        } catch (error) {
          if (!isGone(error)) throw error;
        }
      },
      room: async () => {
        const { quota = 0, usage = 0 } = await navigator.storage.estimate();
        return Math.max(0, quota - usage);
      },
    };
  } catch {
    return null;
  }
};
