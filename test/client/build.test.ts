import { cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isStale, sourceDigest } from '../../client/build.ts';

let root = '';

const put = async (path: string, text: string): Promise<void> => {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), text);
};

/** Pretends that a build has just been made of what is there. */
const stamp = async (): Promise<void> => put('dist/client/.stamp', `${await sourceDigest(root)}\n`);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'skywave-build-'));
  await put('client/pages/page.ts', 'client');
  await put('shared/time.ts', 'shared');
  await put('worklets/opus/decoder.wasm', 'wasm');
  await put('package-lock.json', '{}');
  await stamp();
});

afterEach(() => rm(root, { recursive: true, force: true }));

describe('whether the pages have to be built', () => {
  it('is no right after a build', async () => {
    expect(await isStale(root)).toBe(false);
  });

  it('is yes when there was no build', async () => {
    await rm(join(root, 'dist'), { recursive: true });
    expect(await isStale(root)).toBe(true);
  });

  for (const path of [
    'client/pages/page.ts',
    'shared/time.ts',
    'worklets/opus/decoder.wasm',
    'package-lock.json',
  ])
    it(`is yes when ${path} has changed`, async () => {
      await put(path, 'changed');
      expect(await isStale(root)).toBe(true);
    });

  it('is yes when a file came, went or was renamed', async () => {
    await put('client/pages/other.ts', '');
    expect(await isStale(root)).toBe(true);
    await stamp();
    await cp(join(root, 'client/pages/page.ts'), join(root, 'client/pages/renamed.ts'));
    await rm(join(root, 'client/pages/page.ts'));
    expect(await isStale(root)).toBe(true);
  });

  it('is no when only dates have changed, or files the pages are not made of', async () => {
    await utimes(join(root, 'shared/time.ts'), new Date(0), new Date(0));
    await put('server/main.ts', 'server');
    await put('test/client/page.test.ts', 'test');
    expect(await isStale(root)).toBe(false);
  });
});

describe('the built pages', () => {
  it('have no inline script, and only hashed files', async () => {
    const outDir = join(root, 'built');
    const configFile = fileURLToPath(new URL('../../client/vite.config.ts', import.meta.url));
    await build({ configFile, logLevel: 'silent', build: { outDir } });
    for (const page of ['index.html', 'studio.html', 'listen.html']) {
      const html = await readFile(join(outDir, page), 'utf8');
      expect(html).toContain('<script type="module"');
      // The server's CSP lets nothing inline run.
      expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
    }
    const assets = await readdir(join(outDir, 'assets'));
    expect(assets.filter((name) => !/-[\w-]{8}\.(js|css|wasm)$/.test(name))).toEqual([]);
    for (const codec of ['codec', 'decoder'])
      expect(assets.some((name) => name.startsWith(codec) && name.endsWith('.wasm'))).toBe(true);
  });
});
