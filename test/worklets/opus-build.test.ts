import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const folder = new URL('../../worklets/opus/', import.meta.url);
const WRONG_TOOLCHAIN = 3;

/** Builds elsewhere and compares with the committed artefacts. */
const check = (): Promise<{ status: number; said: string }> =>
  new Promise((resolve) => {
    const script = fileURLToPath(new URL('build.ts', folder));
    execFile(process.execPath, [script, '--check'], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code), said: `${stdout}${stderr}` });
    });
  });

describe('The libopus artefacts', () => {
  it.each(['codec.wasm', 'decoder.wasm'])('%s imports nothing and has a fixed memory', (name) => {
    const module = new WebAssembly.Module(readFileSync(new URL(name, folder)));
    expect(WebAssembly.Module.imports(module)).toEqual([]);
    const { memory } = new WebAssembly.Instance(module).exports as { memory: WebAssembly.Memory };
    expect(() => memory.grow(1)).toThrow(RangeError);
  });

  it('cost a listener at most 64 kB compressed', () => {
    const decoder = readFileSync(new URL('decoder.wasm', folder));
    expect(gzipSync(decoder).length).toBeLessThanOrEqual(64_000);
  });

  it('carry the licence of libopus', () => {
    const licence = readFileSync(new URL('COPYING', folder));
    const libopus = new URL('../../node_modules/@discordjs/opus/deps/opus/', folder);
    expect(licence.equals(readFileSync(new URL('COPYING', libopus)))).toBe(true);
  });

  it('come byte for byte from the sources, where the toolchain is installed', async (ctx) => {
    const { status, said } = await check();
    if (status === WRONG_TOOLCHAIN) ctx.skip(said.trim());
    expect(status, said).toBe(0);
  });
});
