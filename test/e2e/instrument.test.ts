import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installAudioTaps, readTaps } from '../helpers/audio-taps.ts';
import { complaintsOf, launchChromium, newListeningContext } from '../helpers/chromium.ts';
import { describeDelay, measureDelay, spreadOf } from '../helpers/delay-meter.ts';
import { writeMicrophone } from '../helpers/microphone-file.ts';

/** What lies between the two worklets of the page, ms. */
const KNOWN_DELAY = 80;
const SECONDS = 8;

const WORKLET = `
class Pass extends AudioWorkletProcessor {
  process([input], [output]) {
    for (const [index, channel] of output.entries()) channel.set(input[index] ?? input[0] ?? channel);
    return true;
  }
}
registerProcessor('skywave-capture', class extends Pass {
  constructor() {
    super();
    this.port.onmessage = ({ data }) => data.port.postMessage('arrived');
  }
});
registerProcessor('skywave-playback', class extends Pass {});
`;

const SCRIPT = `
window.begin = async () => {
  const context = new AudioContext({ latencyHint: 'interactive' });
  await context.audioWorklet.addModule('/worklet.js');
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
  });
  const capture = new AudioWorkletNode(context, 'skywave-capture');
  const playback = new AudioWorkletNode(context, 'skywave-playback');
  const delay = new DelayNode(context, { maxDelayTime: 1, delayTime: ${KNOWN_DELAY / 1000} });
  context.createMediaStreamSource(stream).connect(capture);
  // As a product does that builds its graph anew: the taps stay on.
  playback.connect(context.destination);
  playback.disconnect();
  capture.connect(delay).connect(playback).connect(context.destination);
  const channel = new MessageChannel();
  const answer = new Promise((resolve) => {
    channel.port1.onmessage = ({ data }) => resolve(data);
  });
  capture.port.postMessage({ port: channel.port2 }, [channel.port2]);
  window.report = async () => ({
    port: await answer,
    isContext: context instanceof AudioContext,
    isNode: playback instanceof AudioWorkletNode,
    rate: context.sampleRate,
    base: context.baseLatency * 1000,
    output: context.outputLatency * 1000,
    track: stream.getAudioTracks()[0].getSettings(),
  });
};
`;

const PAGE =
  '<!doctype html><title>Instrument</title><link rel="icon" href="data:,"><script src="/page.js"></script>';

let server: Server;
let browser: Browser;
let folder: string;
let origin: string;

beforeAll(async () => {
  const files: Record<string, [string, string]> = {
    '/': ['text/html', PAGE],
    '/page.js': ['text/javascript', SCRIPT],
    '/worklet.js': ['text/javascript', WORKLET],
  };
  server = createServer((request, response) => {
    const [type, body] = files[request.url ?? ''] ?? ['text/plain', ''];
    // As strict as the product's own, to show that the taps do not need it loosened.
    response.setHeader('content-security-policy', "default-src 'self'; img-src data:");
    response.setHeader('content-type', type);
    response.end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  folder = await mkdtemp(join(tmpdir(), 'skywave-instrument-'));
  const microphone = await writeMicrophone(join(folder, 'microphone.wav'));
  browser = await launchChromium({ microphone });
});

afterAll(async () => {
  await browser?.close();
  server?.close();
  if (folder) await rm(folder, { recursive: true });
});

describe('the instrument', () => {
  it.each([48_000, 44_100])('measures a known delay of 80 ms at %i Hz', async (sampleRate) => {
    const context = await newListeningContext(browser);
    await installAudioTaps(context, { sampleRate });
    const page = await context.newPage();
    const complaints = complaintsOf(page);
    await page.goto(origin);
    await page.evaluate('begin()');
    await page.waitForTimeout(SECONDS * 1000);
    const settings = await page.evaluate('report()');
    const [[capture], [playback]] = [
      await readTaps(page, 'capture'),
      await readTaps(page, 'playback'),
    ];
    await context.close();

    const report = measureDelay(capture!, playback!);
    console.log(
      `${describeDelay(report)}\n${JSON.stringify({ settings, jitter: playback!.jitter })}`,
    );
    expect(complaints).toEqual([]);
    expect(settings).toMatchObject({
      rate: sampleRate,
      port: 'arrived',
      isContext: true,
      isNode: true,
    });
    expect(playback!.rate).toBe(sampleRate);
    const bursts = spreadOf(report.bursts);
    expect(bursts.count).toBeGreaterThanOrEqual(SECONDS - 2);
    const frames = spreadOf(report.frames);
    expect(Math.abs(bursts.least - KNOWN_DELAY)).toBeLessThan(2);
    expect(Math.abs(frames.p50 - KNOWN_DELAY)).toBeLessThan(2);
    // What is on its way while a busy machine's context loses 10 ms really is so much later.
    const late = 2 + Math.max(0, playback!.jitter.lost);
    expect(bursts.most - KNOWN_DELAY).toBeLessThan(late);
    expect(frames.p99 - KNOWN_DELAY).toBeLessThan(late);
    // Between the two worklets nothing is lost, whatever the microphone did.
    expect(report.discontinuities).toEqual([]);
    expect(report.compared).toBeGreaterThanOrEqual((SECONDS - 3) * 50);
  });
});
