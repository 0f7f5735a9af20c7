import { expect, it } from 'vitest';
import { en } from '../../client/locales/en.ts';
import { ko } from '../../client/locales/ko.ts';
import type { ListedRecording } from '../../client/state/channel-status.ts';
import { recordingState } from '../../client/state/recording-words.ts';

const recording = (part: Partial<ListedRecording>): ListedRecording => ({
  id: 'r',
  startedAt: '2026-11-22T14:05:00Z',
  duration: 724,
  bytes: 8_600_000,
  gaps: 0,
  complete: true,
  final: true,
  missing: false,
  opus: '/c/live/recordings/r.opus',
  m4a: null,
  ...part,
});

const CASES: readonly [string, Partial<ListedRecording>, string][] = [
  ['runs', { final: false, complete: false }, 'Recording now'],
  ['is whole', {}, 'Whole'],
  ['has a hole', { complete: false, gaps: 3.1 }, '3.1 s are missing'],
  ['waits for what is spooled', { complete: false }, 'Not whole yet'],
  ['gets its copy', { m4a: { progress: 0.418 } }, 'Whole; the M4A is being made: 41 %'],
  ['has its copy', { m4a: { progress: 1, url: '/c/live/recordings/r.m4a' } }, 'Whole'],
  ['lost its file', { missing: true }, 'The file is gone from the server’s disk'],
];

it.each(CASES)('a recording that %s', (_, part, words) => {
  expect(recordingState(recording(part), en, 'en')).toBe(words);
  expect(recordingState(recording(part), ko, 'ko')).not.toBe(words);
});
