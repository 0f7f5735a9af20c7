/**
 * One broadcast from a studio page to a listener page in real Chromium, measured from the capture
 * worklet's input to the playback worklet's output.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { installAudioTaps, readTaps } from './audio-taps.ts';
import { complaintsOf, launchChromium, newListeningContext } from './chromium.ts';
import { type DelayReport, measureDelay, type Spread, spreadOf } from './delay-meter.ts';
import { installEventLog, type LoggedEvent, readEventLog } from './event-log.ts';
import { writeMicrophone } from './microphone-file.ts';

/** Time after the first sound that does not count: the player finds its place, ms. */
const SETTLE = 2000;

/** A studio and a listener page in one browser. */
export type BroadcastPages = {
  readonly browser: Browser;
  readonly studio: Page;
  readonly listener: Page;
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
};

/** What a run measured; times in ms. */
export type BroadcastFigures = {
  readonly rate: number;
  readonly seconds: number;
  readonly bursts: Spread;
  readonly frames: Spread;
  readonly report: DelayReport;
  readonly toFirstSound: number;
  readonly toFirstAck: number;
  /** Frames concealed and skipped after the first two seconds of sound. */
  readonly concealed: number;
  readonly skipped: number;
  readonly received: number;
  /** Share of frames concealed after `concealedFrom` ms, %. */
  readonly concealedShare: number;
  /** Median read-out less its output latency, and what was really measured. */
  readonly readOut: number;
  readonly outputLatency: number;
  readonly inputLatency: number;
  /** Mean encode of a frame, ms; quanta missed by the capture worklet. */
  readonly encode: number;
  readonly missed: number;
  readonly underruns: number;
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Opens both pages, with the measuring signal as microphone; nothing is pressed yet. */
export const openBroadcast = async (
  links: { studio: string; listen: string },
  { sampleRate, microphone }: { sampleRate?: number; microphone?: string } = {},
): Promise<BroadcastPages> => {
  const folder = await mkdtemp(join(tmpdir(), 'skywave-run-'));
  const file = microphone ?? (await writeMicrophone(join(folder, 'microphone.wav')));
  const browser = await launchChromium({ microphone: file });
  const open = async (link: string): Promise<Page> => {
    const context = await newListeningContext(browser);
    await installAudioTaps(context, sampleRate === undefined ? {} : { sampleRate });
    await installEventLog(context);
    const page = await context.newPage();
    await page.goto(link);
    return page;
  };
  const studio = await open(links.studio);
  const listener = await open(links.listen);
  const complaints = [complaintsOf(studio), complaintsOf(listener)];
  return {
    browser,
    studio,
    listener,
    get complaints() {
      return complaints.flat();
    },
    close: async () => {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/**
 * Presses *Music* (noise suppression would take the measuring signal for noise), *Go live*, and
 * *Listen* when the state is On air.
 */
export const goLiveAndListen = async ({ studio, listener }: BroadcastPages): Promise<void> => {
  await studio.getByRole('button', { name: 'Music' }).click();
  await studio.getByRole('button', { name: 'Go live' }).click();
  await studio.getByRole('status').filter({ hasText: 'On air' }).first().waitFor();
  await listener.getByRole('button', { name: 'Listen' }).click();
  await listener.getByRole('status').filter({ hasText: 'On air' }).first().waitFor();
};

type Playout = {
  at: number;
  latency: number | null;
  concealed: number;
  skipped: number;
  received: number;
};

const playoutsOf = (log: readonly LoggedEvent[]): Playout[] =>
  log.flatMap(({ at, from, data }) =>
    from === 'network' && data.type === 'playout'
      ? [{ ...data.reading, at, latency: data.latency }]
      : [],
  );

const clickOf = (log: readonly LoggedEvent[], name: string): number =>
  log.find(({ from, data }) => from === 'person' && data.type === 'click' && data.name === name)
    ?.at ?? Number.NaN;

const firstAckOf = (log: readonly LoggedEvent[]): number =>
  log.find(({ from, data }) => from === 'network' && data.type === 'uplink' && data.acked >= 0)
    ?.at ?? Number.NaN;

const outputOf = (log: readonly LoggedEvent[]): number => {
  const told = log.findLast(({ from, data }) => from === 'page' && data.type === 'output');
  return told?.from === 'page' && told.data.type === 'output'
    ? told.data.latency * 1000
    : Number.NaN;
};

/** Ends the broadcast as a person does: a quick press asks, and the same button means it. */
export const endBroadcast = async ({ studio }: BroadcastPages): Promise<void> => {
  await studio.getByRole('button', { name: 'End broadcast' }).click();
  await studio.getByRole('button', { name: 'End broadcast' }).click();
  await studio.getByRole('status').filter({ hasText: 'Ended' }).first().waitFor();
};

/** Takes everything that was recorded since the pages opened, and compares. */
export const measureBroadcast = async (
  { studio, listener }: BroadcastPages,
  { concealedFrom = SETTLE }: { concealedFrom?: number } = {},
): Promise<BroadcastFigures> => {
  const [studioLog, listenerLog] = [await readEventLog(studio), await readEventLog(listener)];
  const captures = await readTaps(studio, 'capture');
  const playbacks = await readTaps(listener, 'playback');
  const [capture, playback] = [captures.at(-1), playbacks.at(-1)];
  if (capture === undefined || playback === undefined) throw new Error('Nothing was recorded.');
  const report = measureDelay(capture, playback);
  const begin = playback.firstSound() ?? Number.NaN;
  const settled = <T extends { at: number }>(list: readonly T[]): T[] =>
    list.filter(({ at }) => at > begin + SETTLE);
  // What the player makes up after the last word is no fault of the path.
  const ended = clickOf(studioLog, 'End broadcast');
  const playouts = playoutsOf(listenerLog).filter(({ at }) => !(at > ended));
  const last = playouts.at(-1);
  const first = playouts.find(({ at }) => at > begin + concealedFrom);
  if (last === undefined || first === undefined) throw new Error('The player read out nothing.');
  const output = outputOf(listenerLog);
  const readings = studioLog.flatMap(({ from, data }) => (from === 'worklet' ? [data] : []));
  const track = await studio.evaluate(async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const settings = stream.getAudioTracks()[0]?.getSettings() as { latency?: number } | undefined;
    for (const open of stream.getTracks()) open.stop();
    return settings?.latency ?? Number.NaN;
  });
  return {
    rate: playback.rate,
    seconds: (last.at - begin) / 1000,
    bursts: spreadOf(settled(report.bursts)),
    frames: spreadOf(settled(report.frames)),
    report,
    toFirstSound: begin - clickOf(listenerLog, 'Listen'),
    toFirstAck: firstAckOf(studioLog) - clickOf(studioLog, 'Go live'),
    concealed: last.concealed - first.concealed,
    skipped: last.skipped - first.skipped,
    received: last.received,
    concealedShare: (100 * (last.concealed - first.concealed)) / (last.received - first.received),
    readOut: median(
      settled(playouts).map(({ latency }) => (latency ?? Number.NaN) * 1000 - output),
    ),
    outputLatency: output,
    inputLatency: track * 1000,
    encode: readings.at(-1)?.encode ?? Number.NaN,
    missed: readings.at(-1)?.missed ?? Number.NaN,
    underruns: playback.underruns,
  };
};

/** The figures as one table for a log. */
export const describeFigures = (figures: BroadcastFigures): string => {
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const spread = ({ count, p50, p99, most }: Spread): string =>
    `p50 ${ms(p50)}, p99 ${ms(p99)}, most ${ms(most)} (${count})`;
  const rows: [string, string][] = [
    ['device rate', `${figures.rate} Hz, ${figures.seconds.toFixed(0)} s of sound`],
    ['worklet to worklet, bursts', spread(figures.bursts)],
    ['worklet to worklet, frames', spread(figures.frames)],
    [
      'device delay besides',
      `input ${ms(figures.inputLatency)}, output ${ms(figures.outputLatency)}`,
    ],
    ['read-out less output', ms(figures.readOut)],
    ['Listen to first sound', ms(figures.toFirstSound)],
    ['Go live to first ack', ms(figures.toFirstAck)],
    [
      'concealed, skipped after 2 s',
      `${figures.concealed}, ${figures.skipped} of ${figures.received}`,
    ],
    ['encode a frame, quanta missed', `${ms(figures.encode)}, ${figures.missed}`],
    ['underruns of the device', String(figures.underruns)],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(32)}${value}`).join('\n');
};
