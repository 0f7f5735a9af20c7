/** The promise of the product: from capture worklet to playback worklet in Chromium, for 60 s. */
import {
  type BroadcastFigures,
  describeFigures,
  endBroadcast,
  goLiveAndListen,
  measureBroadcast,
  openBroadcast,
} from '../helpers/broadcast-run.ts';
import { startLiveService } from '../helpers/live-service.ts';
import { type Claim, judge } from './verdict.ts';

const SECONDS = 60;

const claimsOf = (figures: BroadcastFigures): Claim[] => [
  { name: 'delay p50', value: figures.frames.p50, most: 100, unit: 'ms' },
  { name: 'delay p99', value: figures.frames.p99, most: 180, unit: 'ms' },
  { name: 'frames concealed after 2 s', value: figures.concealed, most: 0, unit: '' },
  { name: 'Listen to first sound', value: figures.toFirstSound, most: 500, unit: 'ms' },
  { name: 'Go live to first ack', value: figures.toFirstAck, most: 500, unit: 'ms' },
  {
    name: 'read-out against measurement',
    value: Math.abs(figures.readOut - figures.bursts.p50),
    most: 20,
    unit: 'ms',
  },
  { name: 'mean encode of a 20 ms frame', value: figures.encode, most: 0.3, unit: 'ms' },
  { name: 'quanta missed', value: figures.missed, most: 0, unit: '' },
];

export const run = async (): Promise<void> => {
  for (const sampleRate of [48_000, 44_100]) {
    const service = await startLiveService();
    const pages = await openBroadcast(service, { sampleRate });
    await goLiveAndListen(pages);
    await pages.listener.waitForTimeout(SECONDS * 1000);
    await endBroadcast(pages);
    await pages.studio.waitForTimeout(500);
    const figures = await measureBroadcast(pages);
    process.stdout.write(`${describeFigures(figures)}\n`);
    judge(claimsOf(figures));
    await pages.close();
    await service.stop();
  }
};
