/**
 * What libopus costs as WebAssembly, beside the native codec in the same run: CPU for a stereo
 * frame of 20 ms at 96 kbit/s, the first frames of a fresh engine, and the size of the artefacts.
 */
import { readFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import opus from '@discordjs/opus';
import { SAMPLE_RATE } from '../../shared/time.ts';
import { NATIVE_MAX_PACKET_BYTES, OpusDecoder, OpusEncoder } from '../../worklets/opus-codec.ts';
import { synthesize } from '../fixtures/synth.ts';

const FRAME = 960;
const FRAME_MICROS = 20_000;
const ROUNDS = 20;
const BITRATE = 96_000;

type Row = { readonly what: string; readonly wasm: string; readonly native: string };

const readArtefact = (name: string): Buffer<ArrayBuffer> =>
  readFileSync(new URL(`../../worklets/opus/${name}`, import.meta.url));

/** Interleaved stereo frames of 20 ms, without the turns of silence that cost an encoder nothing. */
const makeFrames = (): Int16Array[] => {
  const turns = ['voice', 'music', 'noise'] as const;
  const pcm = synthesize(2.4 * SAMPLE_RATE, { channels: 2, seed: 1, turns });
  return Array.from({ length: pcm.length / (2 * FRAME) }, (_, index) =>
    pcm.slice(index * 2 * FRAME, (index + 1) * 2 * FRAME),
  );
};

/** Microseconds that `step` takes for one item, over one round of all. */
const meanOf = <Item>(items: readonly Item[], step: (item: Item) => void): number => {
  const started = performance.now();
  for (const item of items) step(item);
  return ((performance.now() - started) * 1000) / items.length;
};

/** Runs both in turn, so that whatever else the machine does hits both; keeps the best of each. */
const compare = <Item>(
  what: string,
  items: readonly Item[],
  steps: { readonly wasm: (item: Item) => void; readonly native: (item: Item) => void },
): Row => {
  let wasm = Number.POSITIVE_INFINITY;
  let native = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    wasm = Math.min(wasm, meanOf(items, steps.wasm));
    native = Math.min(native, meanOf(items, steps.native));
  }
  const show = (micros: number): string =>
    `${micros.toFixed(0)} µs, ${(FRAME_MICROS / micros).toFixed(0)}x real time`;
  const ratio = (wasm / native).toFixed(2);
  return { what, wasm: `${show(wasm)}, ${ratio} of native`, native: show(native) };
};

const makeEncoder = (module: WebAssembly.Module, complexity: number): OpusEncoder =>
  new OpusEncoder(module, { channels: 2, application: 'audio', bitrate: BITRATE, complexity });

const once = (what: string, step: () => void): Row => {
  const started = performance.now();
  step();
  return { what, wasm: `${(performance.now() - started).toFixed(1)} ms`, native: '' };
};

/**
 * What the engine's compiling on demand costs. Valid only as the first thing in a Node process,
 * because V8 keeps the code of a module that it has seen.
 */
const measureFirst = (frames: readonly Int16Array[]): Row[] => {
  const module = new WebAssembly.Module(readArtefact('codec.wasm'));
  const decoderOnly = new WebAssembly.Module(readArtefact('decoder.wasm'));
  const encoder = makeEncoder(module, 10);
  const decoder = new OpusDecoder(decoderOnly, { channels: 2 });
  encoder.pcm.set(frames[0]!);
  const packet = new Uint8Array(NATIVE_MAX_PACKET_BYTES);
  let length = 0;
  const encode = (): void => {
    const made = encoder.encode(FRAME);
    packet.set(made);
    length = made.length;
  };
  const cold = once('first encode, cold', encode);
  const coldDecode = once('first decode, cold', () => {
    decoder.decode(packet.subarray(0, length));
  });
  const warming = once('warmUp()', () => encoder.warmUp());
  encoder.pcm.set(frames[0]!);
  return [cold, warming, once('first encode, warmed up', encode), coldDecode];
};

const measureEncode = (frames: readonly Int16Array[], complexity: number): Row => {
  const encoder = makeEncoder(new WebAssembly.Module(readArtefact('codec.wasm')), complexity);
  const native = new opus.OpusEncoder(SAMPLE_RATE, 2);
  native.setBitrate(BITRATE);
  native.applyEncoderCTL(4010, complexity);
  return compare(`encode, complexity ${complexity}`, frames, {
    wasm: (pcm) => {
      encoder.pcm.set(pcm);
      encoder.encode(FRAME);
    },
    native: (pcm) => {
      native.encode(Buffer.from(pcm.buffer));
    },
  });
};

const measureDecode = (frames: readonly Int16Array[]): Row => {
  const native = new opus.OpusEncoder(SAMPLE_RATE, 2);
  native.setBitrate(BITRATE);
  const packets = frames.map((pcm) => native.encode(Buffer.from(pcm.buffer)));
  const module = new WebAssembly.Module(readArtefact('decoder.wasm'));
  const decoder = new OpusDecoder(module, { channels: 2 });
  return compare('decode', packets, {
    wasm: (packet) => {
      decoder.decode(packet);
    },
    native: (packet) => {
      native.decode(packet);
    },
  });
};

const measureSizes = (): Row[] =>
  ['codec.wasm', 'decoder.wasm'].map((name) => {
    const bytes = readArtefact(name);
    const [gzip, brotli] = [gzipSync(bytes, { level: 9 }), brotliCompressSync(bytes)];
    const wasm = `${bytes.length} bytes, gzip ${gzip.length}, brotli ${brotli.length}`;
    return { what: name, wasm, native: '' };
  });

/** Measures for a few seconds and prints one table. */
export const run = async (): Promise<void> => {
  const frames = makeFrames();
  console.table([
    ...measureFirst(frames),
    measureEncode(frames, 5),
    measureEncode(frames, 10),
    measureDecode(frames),
    ...measureSizes(),
  ]);
};
