import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const ROOMS = ['shared', 'worklets', 'client', 'server', 'test'];

/** Files that may be longer than 300 lines, each with the reason; none so far. */
const LONG: Record<string, string> = {};

const filesOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));

const files = ROOMS.flatMap(filesOf);
const sourceOf = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Import specifiers, also dynamic and type-only ones, without Vite's `?url` endings. */
const importsOf = (file: string): string[] =>
  [...sourceOf(file).matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
    ([, specifier = '']) => specifier.replace(/\?.*$/, ''),
  );

/** What a file imports from the tree, as paths from the root. */
const arrowsOf = (file: string): string[] =>
  importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(root, resolve(root, dirname(file), specifier)));

const graph = new Map(files.map((file) => [file, arrowsOf(file)]));

type Rule = { readonly from: RegExp; readonly to: RegExp; readonly why: string };

/** Where arrows may point from each place; the first rule whose `from` fits counts. */
const RULES: readonly Rule[] = [
  { from: /^shared\//, to: /^shared\//, why: 'shared/ is pure and knows nobody' },
  { from: /^worklets\//, to: /^(shared|worklets)\//, why: 'the audio thread knows shared/ only' },
  { from: /^client\//, to: /^(shared|client|worklets)\//, why: 'the browser knows no server' },
  {
    from: /^server\/relay\/channel\.ts$/,
    to: /^(shared\/|server\/relay\/(channel-state|media-pace)\.ts)/,
    why: 'the hub declares Sink and knows none',
  },
  {
    from: /^server\/relay\/(station|desk)\.ts$/,
    to: /^(shared|server)\//,
    why: 'the station composes, channel by channel at a desk',
  },
  {
    from: /^server\/relay\//,
    to: /^(shared\/|server\/(relay|auth|store)\/)/,
    why: 'the relay knows no route',
  },
  {
    from: /^server\/(auth|store)\//,
    to: /^(shared\/|server\/(auth|store)\/)/,
    why: 'leaves of the server',
  },
  {
    from: /^server\/routes\//,
    to: /^(shared\/|server\/(routes|relay|packager|recorder|store|auth)\/)/,
    why: 'routes point inwards',
  },
  { from: /^server\//, to: /^(shared|server)\//, why: 'the server knows no client' },
  { from: /^test\//, to: /^(shared|worklets|client|server|test)\//, why: 'tests see everything' },
];

/** Of the worklets, the client sees the port's types and the files it loads by URL. */
const CLIENT_SEES = /^worklets\/(port\.ts|capture\.ts|playback\.ts|opus\/.*\.wasm)$/;

describe('the arrows', () => {
  it('point only where ARCHITECTURE draws them', () => {
    const wrong = files.flatMap((file) => {
      const rule = RULES.find(({ from }) => from.test(file));
      return (graph.get(file) ?? [])
        .filter((target) => rule === undefined || !rule.to.test(target))
        .map((target) => `${file} -> ${target}: ${rule?.why}`);
    });
    expect(wrong).toEqual([]);
  });

  it('from the client into worklets/ reach the port and what is loaded by URL', () => {
    const wrong = files
      .filter((file) => file.startsWith('client/'))
      .flatMap((file) => (graph.get(file) ?? []).map((target) => [file, target] as const))
      .filter(([, target]) => target.startsWith('worklets/') && !CLIENT_SEES.test(target));
    expect(wrong).toEqual([]);
  });

  it('have no cycle', () => {
    const done = new Set<string>();
    const walk = (file: string, path: readonly string[]): string | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(' -> ');
      if (done.has(file)) return undefined;
      for (const target of graph.get(file) ?? []) {
        const cycle = walk(target, [...path, file]);
        if (cycle !== undefined) return cycle;
      }
      done.add(file);
      return undefined;
    };
    expect(files.map((file) => walk(file, [])).filter(Boolean)).toEqual([]);
  });

  it('lead to files that exist', () => {
    const known = new Set(files);
    const lost = [...graph].flatMap(([file, targets]) =>
      targets
        .filter((target) => target.endsWith('.ts') && !known.has(target))
        .map((to) => [file, to]),
    );
    expect(lost).toEqual([]);
  });
});

describe('the rooms', () => {
  it('shared/ and worklets/ import no Node module, and nothing pure asks for the time', () => {
    const pure = files.filter(
      (file) => /^(shared|worklets)\//.test(file) && file !== 'worklets/opus/build.ts',
    );
    expect(pure.filter((file) => importsOf(file).some((name) => name.startsWith('node:')))).toEqual(
      [],
    );
    // The two processors are where the audio thread meets the wall clock; all else is given `now`.
    const shells = ['worklets/capture.ts', 'worklets/playback.ts'];
    const asking = pure.filter(
      (file) => !shells.includes(file) && /Date\.now\(\)|performance\.now\(\)/.test(sourceOf(file)),
    );
    expect(asking).toEqual([]);
  });

  it('the relay gets the time injected', () => {
    const asking = files.filter(
      (file) =>
        file.startsWith('server/relay/') &&
        /Date\.now\(\)|performance\.now\(\)/.test(sourceOf(file)),
    );
    expect(asking).toEqual([]);
  });

  it('only a desk knows who takes the frames of a channel', () => {
    const composing = files.filter(
      (file) => file.startsWith('server/') && /new (FanOut|Channel)\(/.test(sourceOf(file)),
    );
    expect(composing).toEqual(['server/relay/desk.ts']);
  });

  it('have no file over 300 lines without a reason', () => {
    const long = files
      .filter((file) => !(file in LONG))
      .map((file) => [file, sourceOf(file).split('\n').length - 1] as const)
      .filter(([, lines]) => lines > 300);
    expect(long).toEqual([]);
  });

  it('have no barrel file and no forbidden name', () => {
    const FORBIDDEN =
      /(^|[-/])(manager|handler|helper|util|utils|data|info|item|process|service|chunk|common|misc|index)\.ts$/;
    const named = files.filter((file) => FORBIDDEN.test(file) && !file.startsWith('test/helpers/'));
    expect(named).toEqual([]);
  });
});

it('the top level holds what the owner fixed, and nothing else', () => {
  const ALLOWED = new Set([
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'biome.json',
    'README.md',
    'LICENSE',
    'server',
    'client',
    'worklets',
    'shared',
    'test',
    // Made, not kept: ignored by git.
    'node_modules',
    'dist',
    'data',
  ]);
  const found = readdirSync(root).filter((name) => !name.startsWith('.') && !ALLOWED.has(name));
  expect(found.filter((name) => !/^(Dockerfile|compose\.ya?ml|Containerfile)$/.test(name))).toEqual(
    [],
  );
});
