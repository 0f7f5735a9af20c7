import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { FLAG } from '../../shared/frame.ts';
import { samples } from '../../shared/time.ts';
import { OpusDecoder } from '../../worklets/opus-codec.ts';
import {
  type CaptureCommand,
  type CapturedPacket,
  type CaptureOptions,
  type CaptureReading,
  type EncoderCommand,
  PROCESSOR,
} from '../../worklets/port.ts';

/** Node has no audio thread: these are the globals of one, and a port that can be listened to. */
type Processor = { process: (inputs: Float32Array[][]) => boolean };
type Constructor = new (options: { processorOptions: CaptureOptions }) => Processor;
const scope = globalThis as unknown as {
  sampleRate: number;
  currentFrame: number;
  registerProcessor: (name: string, made: Constructor) => void;
  AudioWorkletProcessor: new () => { readonly port: MessagePort };
};
const registered = new Map<string, Constructor>();
let pagePort: MessagePort;

const RATE = 44_100;
const NOON = 1_780_000_000_000;
const wasm = Uint8Array.from(
  readFileSync(new URL('../../worklets/opus/codec.wasm', import.meta.url)),
);

beforeAll(async () => {
  scope.sampleRate = RATE;
  scope.currentFrame = 0;
  scope.registerProcessor = (name, made) => {
    registered.set(name, made);
  };
  scope.AudioWorkletProcessor = class {
    readonly port: MessagePort;
    constructor() {
      const { port1, port2 } = new MessageChannel();
      this.port = port1;
      pagePort = port2;
    }
  };
  await import('../../worklets/capture.ts');
});

/** A capture node on a device of 44.1 kHz with a tone on it, under a clock that follows it. */
const open = async (options: Partial<CaptureOptions> = {}) => {
  const processor = new (registered.get(PROCESSOR.capture)!)({
    processorOptions: {
      wasm,
      channels: 1,
      application: 'audio',
      bitrate: 96_000,
      complexity: 5,
      fec: false,
      frame: samples(960),
      ...options,
    },
  });
  const page = pagePort;
  const readings: CaptureReading[] = [];
  const packets: CapturedPacket[] = [];
  // Messages arrive in the poll phase of the event loop; immediates come after one.
  const settle = async () => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  page.onmessage = ({ data }) => readings.push(data);
  const { port1, port2 } = new MessageChannel();
  port2.onmessage = ({ data }) => packets.push(data);
  const command = async (message: CaptureCommand, transfer: Transferable[] = []) => {
    page.postMessage(message, transfer);
    await settle();
  };
  const tell = async (message: EncoderCommand) => {
    port2.postMessage(message);
    await settle();
  };
  await command({ type: 'connect', port: port1 }, [port1]);
  let frame = 0;
  let alive = true;
  /** Captures a stretch of the tone, seconds; `lost` is what the wall clock went on before, ms. */
  const capture = async (seconds: number, { channels = 1, lost = 0 } = {}) => {
    lostInAll += lost;
    for (const end = frame + seconds * RATE; frame < end; frame += 128) {
      scope.currentFrame = frame;
      vi.setSystemTime(NOON + ((frame + 128) * 1000) / RATE + lostInAll);
      const quantum = Float32Array.from({ length: 128 }, (_, index) => tone(frame + index));
      alive = processor.process([new Array<Float32Array>(channels).fill(quantum)]);
    }
    await settle();
  };
  let lostInAll = 0;
  const skip = (quanta: number) => {
    frame += quanta * 128;
  };
  const close = async () => {
    await command({ type: 'close' });
    alive = processor.process([[]]);
    page.close();
    port2.close();
    return alive;
  };
  return { readings, packets, command, tell, capture, skip, close };
};

const tone = (index: number) => 0.25 * Math.sin((2 * Math.PI * 997 * index) / RATE);

const peaks = (packets: readonly CapturedPacket[]) => {
  const decoder = new OpusDecoder(new WebAssembly.Module(wasm), { channels: 1 });
  return packets.map(({ packet }) => {
    decoder.decode(packet);
    return Math.max(...decoder.pcm.subarray(0, 960)) / 32_768;
  });
};

describe('the capture worklet', () => {
  beforeAll(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    return () => vi.useRealTimers();
  });

  it('meters from the beginning, encodes between start and stop, and ends when closed', async () => {
    const node = await open();
    await node.capture(1);
    expect(node.readings.length).toBeGreaterThanOrEqual(19);
    expect(node.readings.length).toBeLessThanOrEqual(21);
    expect(node.readings.at(-1)).toMatchObject({ clipped: false, missed: 0 });
    expect(node.readings.at(-1)!.rms[0]).toBeCloseTo(-15.05, 1);
    expect(node.packets).toHaveLength(0);
    await node.tell({ type: 'start', run: 5 });
    await node.capture(1);
    await node.tell({ type: 'stop' });
    await node.capture(0.5);
    expect(node.packets).toHaveLength(50);
    expect(node.packets.map(({ timestamp }) => timestamp)).toEqual(
      Array.from({ length: 50 }, (_, index) => index * 960),
    );
    expect(node.packets.every(({ run, flags }) => run === 5 && flags === 0)).toBe(true);
    for (const { timestamp, captured } of node.packets)
      expect(captured - NOON - 1000 - (timestamp + 960) / 48).toBeLessThan(6);
    for (const peak of peaks(node.packets).slice(3)) expect(peak).toBeCloseTo(0.25, 1);
    expect(await node.close()).toBe(false);
  });

  it('pads a hole to whole frames and marks the packet after it', async () => {
    for (const quanta of [1, 5, 40, 400, 4000]) {
      const node = await open();
      await node.tell({ type: 'start', run: 0 });
      await node.capture(0.5);
      node.skip(quanta);
      await node.capture(0.5);
      const marked = node.packets.filter(({ flags }) => flags === FLAG.discontinuity);
      const gaps = node.packets.flatMap(({ timestamp }, index) => {
        const gap = timestamp - (node.packets[index - 1]?.timestamp ?? -960) - 960;
        return gap === 0 ? [] : [gap];
      });
      const hole = (quanta * 128 * 48_000) / RATE;
      expect(gaps).toHaveLength(quanta > 15 ? 1 : gaps.length);
      for (const gap of gaps) {
        expect(gap % 960).toBe(0);
        expect(Math.abs(gap - hole)).toBeLessThan(2 * 960);
      }
      expect(marked).toHaveLength(gaps.length);
      // The end is where the device count says, whatever the hole was.
      const end = (quanta * 128 + RATE) * (48_000 / RATE);
      expect(Math.abs(node.packets.at(-1)!.timestamp + 960 - end)).toBeLessThan(2 * 960);
      await node.close();
    }
  });

  it('begins a new run at 0 when the context stood still', async () => {
    const node = await open();
    await node.tell({ type: 'start', run: 3 });
    await node.capture(2);
    await node.capture(2, { lost: 700 });
    const first = node.packets.findIndex(({ run }) => run === 4);
    expect(node.packets[first]!.timestamp).toBe(0);
    expect(node.packets.slice(first).every(({ run }) => run === 4)).toBe(true);
    expect(node.readings.at(-1)!.missed).toBeGreaterThan(230);
    await node.close();
  });

  it('sends silence while muted or unplugged; the meter follows the microphone', async () => {
    const node = await open();
    await node.tell({ type: 'start', run: 0 });
    await node.capture(0.5);
    await node.command({ type: 'mute', on: true });
    await node.capture(0.5);
    expect(node.readings.at(-1)!.peak[0]).toBeCloseTo(-12.04, 1);
    await node.command({ type: 'mute', on: false });
    await node.capture(0.5);
    await node.capture(0.5, { channels: 0 });
    expect(node.readings.at(-1)!.peak[0]).toBe(-Infinity);
    await node.command({ type: 'gain', linear: 2 });
    await node.capture(0.5);
    expect(node.readings.at(-1)!.peak[0]).toBeCloseTo(-6.02, 1);
    const levels = peaks(node.packets);
    const during = (second: number) => Math.max(...levels.slice(50 * second + 8, 50 * second + 20));
    expect(during(0)).toBeCloseTo(0.25, 1);
    expect(during(0.5)).toBeLessThan(0.001);
    expect(during(1)).toBeCloseTo(0.25, 1);
    expect(during(1.5)).toBeLessThan(0.001);
    expect(during(2)).toBeCloseTo(0.5, 1);
    expect(node.packets).toHaveLength(125);
    expect(node.packets.at(-1)!.timestamp).toBe(124 * 960);
    await node.close();
  });
});
