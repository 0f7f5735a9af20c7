/**
 * HLS and DASH to the letter: a real service and a real publisher go through everything that happens
 * to a broadcast, and other people's parsers and our linters judge every answer and every file.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeJudgement, Judgement } from '../helpers/judgement.ts';
import { LastingPublisher } from '../helpers/lasting-publisher.ts';
import { LetterWatch } from '../helpers/letter-watch.ts';
import { type LiveService, startLiveService } from '../helpers/live-service.ts';
import type { Door } from '../helpers/service.ts';
import { describeWarnings, warningsOf } from '../helpers/service-warnings.ts';

const FIRST_COMPLAINTS = 40;
const ENDLIST_WITHIN = 2000;
/** After readiness, until the publisher is back and answers count again. */
const BACK_WITHIN = 1000;

type Act = {
  readonly at: number;
  readonly name: string;
  readonly act: () => Promise<unknown>;
};

const say = (sentence: string): void => {
  process.stdout.write(`  ${sentence}\n`);
};

const tell = async ({ base, token }: Door, title: string): Promise<void> => {
  const answer = await fetch(`${base}/api/v1/channels/live/metadata`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ title, artist: 'Anna & <Ben>' }),
  });
  if (answer.status !== 200) throw new Error(`A title was answered with ${answer.status}.`);
};

/** Where a service that was started as its own process answers. */
const doorOf = ({ studio, port }: LiveService): Door => ({
  base: `http://127.0.0.1:${port}`,
  token: new URL(studio).hash.replace('#token=', ''),
});

const untilEnded = async (watch: LetterWatch, since: number): Promise<number> => {
  while (performance.now() - since < 10_000 && !(await watch.ended())) await sleep(50);
  return performance.now() - since;
};

/** Runs for `minutes`; the acts lie at fixed shares of it. */
export const run = async ({ minutes = 10 }: { minutes?: number } = {}): Promise<void> => {
  const data = await mkdtemp(join(tmpdir(), 'skywave-letter-'));
  let service = await startLiveService({ SKYWAVE_DATA: data });
  const warnings = [warningsOf(service.child)];
  const door = doorOf(service);
  const judgement = new Judgement();
  const watch = new LetterWatch(`${door.base}/c/live`, judgement);
  const publisher = await LastingPublisher.start(door);
  const restart = async (): Promise<void> => {
    watch.excuse(true);
    await service.stop();
    service = await startLiveService({ SKYWAVE_DATA: data, SKYWAVE_PORT: `${service.port}` });
    warnings.push(warningsOf(service.child));
    await sleep(BACK_WITHIN);
    watch.excuse(false);
  };
  const acts: readonly Act[] = [
    { at: 0.1, name: 'a title', act: () => tell(door, 'Erste "Szene", 첫 번째') },
    { at: 0.2, name: 'a gap of 0.5 s', act: () => publisher.hold(500) },
    { at: 0.3, name: 'a gap of 5 s', act: () => publisher.hold(5000) },
    { at: 0.45, name: 'a title', act: () => tell(door, 'Second -- scene') },
    { at: 0.55, name: 'a restart of the service', act: restart },
    { at: 0.8, name: 'a new epoch', act: () => publisher.beginEpoch() },
    { at: 1, name: 'the end', act: () => publisher.bye() },
  ];
  try {
    const begun = performance.now();
    for (const { at, name, act } of acts) {
      await sleep(Math.max(0, at * minutes * 60_000 - (performance.now() - begun)));
      say(`${((performance.now() - begun) / 1000).toFixed(0).padStart(5)} s  ${name}`);
      await act();
    }
    const endlist = await untilEnded(watch, performance.now());
    judgement.note('ENDLIST within 2 s of the end', 'all media playlists', {
      complaints: endlist <= ENDLIST_WITHIN ? [] : [`It took ${endlist.toFixed(0)} ms.`],
    });
    await sleep(2000);
    await watch.stop();
  } finally {
    publisher.vanish();
    await service.stop();
    await rm(data, { recursive: true, force: true });
  }
  process.stdout.write(`${describeJudgement(judgement)}\n`);
  process.stdout.write(describeWarnings(warnings.flat()));
  say(`${publisher.epochs.length} epochs, the publisher came back ${publisher.reconnects} times`);
  for (const complaint of judgement.complaints.slice(0, FIRST_COMPLAINTS)) say(complaint);
  if (judgement.rows.some(({ complaints }) => complaints > 0)) process.exitCode = 1;
};
