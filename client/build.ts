/**
 * Builds the pages into dist/client: `node client/build.ts [--if-stale]`. With `--if-stale` nothing
 * happens while the sources are those of the last build, by content and not by date.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the pages are made of, from the root of the repository. */
const SOURCES = ['client', 'shared', 'worklets'];
const LOCK = 'package-lock.json';
const STAMP = join('dist', 'client', '.stamp');

const filesBelow = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
};

/** Digest of every source's path and bytes, hex. */
export const sourceDigest = async (root: string): Promise<string> => {
  const lists = await Promise.all(SOURCES.map((folder) => filesBelow(join(root, folder))));
  const paths = [...lists.flat(), join(root, LOCK)].sort();
  const digest = createHash('sha256');
  for (const path of paths) {
    const bytes = await readFile(path);
    digest.update(`${relative(root, path).replaceAll(sep, '/')}\0${bytes.length}\0`).update(bytes);
  }
  return digest.digest('hex');
};

/** Whether the last build was made of other sources, or there was none. */
export const isStale = async (root: string): Promise<boolean> => {
  const digest = await sourceDigest(root);
  try {
    return (await readFile(join(root, STAMP), 'utf8')).trim() !== digest;
  } catch {
    return true;
  }
};

/** Builds, and stamps what it built from; a file changed meanwhile makes the next check stale. */
export const buildClient = async (root: string): Promise<void> => {
  const digest = await sourceDigest(root);
  const { build } = await import('vite');
  await build({ configFile: join(root, 'client', 'vite.config.ts'), logLevel: 'error' });
  await writeFile(join(root, STAMP), `${digest}\n`);
};

const main = async (root: string, ifStale: boolean): Promise<string> => {
  if (ifStale && !(await isStale(root))) return 'The pages are up to date.';
  const begun = performance.now();
  await buildClient(root);
  return `The pages were built in ${((performance.now() - begun) / 1000).toFixed(1)} s.`;
};

if (import.meta.main) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  try {
    process.stdout.write(`${await main(root, process.argv.includes('--if-stale'))}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`The pages could not be built: ${reason}\n`);
    process.exitCode = 1;
  }
}
