/**
 * Builds libopus as WebAssembly from the very sources inside `@discordjs/opus`, so that browser and
 * server run the same codec to the bit: `codec.wasm` (encoder and decoder) and `decoder.wasm`.
 *
 *     node worklets/opus/build.ts            writes both beside this file
 *     node worklets/opus/build.ts --check    builds elsewhere and compares with what is here
 *
 * Exits with 0 when done or equal, 1 when a build failed or differs, and 3 when this machine's
 * toolchain cannot tell, because it is missing or is not the one the artefacts were made with.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const LIBOPUS = fileURLToPath(
  new URL('../../node_modules/@discordjs/opus/deps/opus', import.meta.url),
);

/** What the committed artefacts were made with; other versions write other bytes. */
const TOOLCHAIN = { clang: '14.0.6', 'wasm-ld': '14.0.6', 'wasm-opt': '108' } as const;
const PACKAGES = 'clang lld wasi-libc libclang-rt-dev-wasm32 binaryen';

/** The variables of libopus's own *.mk files that make up the float build without SIMD. */
const SOURCE_LISTS = {
  'opus_sources.mk': ['OPUS_SOURCES', 'OPUS_SOURCES_FLOAT'],
  'celt_sources.mk': ['CELT_SOURCES'],
  'silk_sources.mk': ['SILK_SOURCES', 'SILK_SOURCES_FLOAT'],
};

/** No fast-math and no SIMD: either would cost identity with the native codec. */
const COMPILE = [
  ...['--target=wasm32-wasi', '-Os', '-std=gnu11', '-w'],
  ...['-mbulk-memory', '-mnontrapping-fptoint', '-msign-ext'],
  ...['-ffunction-sections', '-fdata-sections', '-fvisibility=hidden'],
  ...['-DOPUS_BUILD', '-DHAVE_LRINT', '-DHAVE_LRINTF', '-DVAR_ARRAYS'],
  ...['-Iinclude', '-Icelt', '-Isilk', '-Isilk/float', '-I.'],
];

/** The stack comes first in memory, so that an overflow traps instead of overwriting the state. */
const LINK = [
  ...['--target=wasm32-wasi', '-nostartfiles', '-Wl,--no-entry', '-Wl,--gc-sections'],
  ...['-Wl,--strip-all', '-Wl,--stack-first', '-Wl,-z,stack-size=196608'],
];

const OPTIMISE = [
  ...['-Os', '--enable-bulk-memory', '--enable-nontrapping-float-to-int', '--enable-sign-ext'],
  ...['--strip-producers', '--strip-target-features'],
];

const DECODER = ['packet', 'pcm', 'decoder_init', 'decoder_decode'];
const ENCODER = ['encoder_init', 'encoder_encode', 'encoder_set', 'encoder_get'];
/** Memory is fixed in both: initial and maximum are the same number of bytes. */
const ARTEFACTS = [
  { name: 'codec.wasm', exports: [...DECODER, ...ENCODER], memory: 8 * 65_536 },
  { name: 'decoder.wasm', exports: DECODER, memory: 6 * 65_536 },
];

const run = promisify(execFile);

/** Names of the sources relative to LIBOPUS, sorted, because the linker keeps their order. */
const listSources = async (): Promise<string[]> => {
  const sources: string[] = [];
  for (const [file, variables] of Object.entries(SOURCE_LISTS)) {
    const makefile = (await readFile(join(LIBOPUS, file), 'utf8')).replaceAll('\\\n', ' ');
    for (const variable of variables) {
      const list = makefile.match(new RegExp(`^${variable}\\s*=(.*)$`, 'm'))?.[1];
      if (list === undefined) throw new Error(`${file} of libopus does not list ${variable}.`);
      sources.push(...list.trim().split(/\s+/));
    }
  }
  return sources.sort();
};

/** Compiles everything into `folder`, as many at once as there are cores; returns the objects. */
const compile = async (folder: string): Promise<string[]> => {
  const sources = [...(await listSources()), join(HERE, 'binding.c')];
  const objects = sources.map((_, index) => join(folder, `${String(index).padStart(3, '0')}.o`));
  const queue = sources.map((source, index) => [source, objects[index]!] as const);
  const worker = async (): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop())
      await run('clang', [...COMPILE, '-c', next[0], '-o', next[1]], { cwd: LIBOPUS });
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return objects;
};

/** Builds both artefacts and returns their bytes by name. */
const build = async (): Promise<Map<string, Buffer>> => {
  const folder = await mkdtemp(join(tmpdir(), 'skywave-opus-'));
  try {
    const objects = await compile(folder);
    const built = new Map<string, Buffer>();
    for (const { name, exports, memory } of ARTEFACTS) {
      const linked = join(folder, 'linked.wasm');
      const optimised = join(folder, name);
      const limits = [`-Wl,--initial-memory=${memory}`, `-Wl,--max-memory=${memory}`];
      const names = exports.map((symbol) => `-Wl,--export=${symbol}`);
      await run('clang', [...LINK, ...limits, ...names, ...objects, '-o', linked]);
      await run('wasm-opt', [...OPTIMISE, linked, '-o', optimised]);
      built.set(name, await readFile(optimised));
    }
    return built;
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** Returns a sentence when this machine's toolchain is not the one that made the artefacts. */
const findObstacle = async (): Promise<string | undefined> => {
  for (const [tool, version] of Object.entries(TOOLCHAIN)) {
    const said = await run(tool, ['--version']).catch(() => undefined);
    if (said === undefined) return `${tool} is missing; on Debian: apt install ${PACKAGES}.`;
    if (!new RegExp(`\\b${version.replaceAll('.', '\\.')}\\b`).test(said.stdout))
      return `${tool} is not ${version}, with which the artefacts were made.`;
  }
  const probe = ['-include', 'math.h', '-E', join(HERE, 'binding.c'), '-o', '/dev/null'];
  const headers = await run('clang', [...COMPILE, ...probe], { cwd: LIBOPUS }).catch(() => false);
  return headers === false ? `The wasi headers are missing; apt install ${PACKAGES}.` : undefined;
};

/** Builds, then writes or compares; returns the exit code. */
const main = async (): Promise<number> => {
  const check = process.argv.includes('--check');
  const obstacle = await findObstacle();
  if (obstacle !== undefined) {
    console.error(obstacle);
    return 3;
  }
  let different = 0;
  for (const [name, bytes] of await build()) {
    const path = join(HERE, name);
    const [gzip, brotli] = [gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes)];
    const sizes = `${bytes.length} bytes, gzip ${gzip.length}, brotli ${brotli.length}`;
    if (!check) {
      await writeFile(path, bytes);
      console.log(`${name}: written, ${sizes}`);
      continue;
    }
    const same = bytes.equals(await readFile(path));
    if (!same) different += 1;
    console.log(`${name}: ${same ? 'same bytes' : 'DIFFERS'}, ${sizes}`);
  }
  return different === 0 ? 0 : 1;
};

process.exitCode = await main();
