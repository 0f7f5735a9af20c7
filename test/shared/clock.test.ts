import { describe, expect, it } from 'vitest';
import { Backoff } from '../../shared/backoff.ts';
import { captureUtc, ServerClock } from '../../shared/clock.ts';
import { isWorthRetrying } from '../../shared/codes.ts';
import { opusChannels, opusDuration, opusMode } from '../../shared/opus.ts';
import { millis, millisToSamples, samples, samplesToMillis, utc } from '../../shared/time.ts';

describe('the server’s clock', () => {
  it('is learnt from the exchange with the smallest round trip', () => {
    const clock = new ServerClock();
    expect(clock.toServer(utc(1000))).toBe(1000);
    // The server is 500 ms ahead; the first exchange is 80 ms slow on the way back.
    clock.enter(utc(1000), utc(1510), utc(1510), utc(1100));
    expect(clock.toServer(utc(2000))).toBe(2460);
    clock.enter(utc(2000), utc(2502), utc(2503), utc(2005));
    expect(clock.toServer(utc(2000))).toBe(2500);
    expect(clock.uncertainty).toBe(2);
  });

  it('forgets an exchange after eight others, so that it follows a clock that was set', () => {
    const clock = new ServerClock();
    clock.enter(utc(0), utc(1), utc(1), utc(2));
    for (let turn = 1; turn <= 8; turn += 1)
      clock.enter(utc(turn), utc(3_600_000 + turn + 5), utc(3_600_000 + turn + 5), utc(turn + 10));
    expect(clock.toServer(utc(100))).toBe(3_600_100);
  });

  it('ignores an exchange in which time went back', () => {
    const clock = new ServerClock();
    clock.enter(utc(5000), utc(1), utc(2), utc(10));
    expect(clock.known).toBe(false);
  });

  it('gives the UTC of any sample of an epoch', () => {
    const point = {
      epoch: 1,
      timestamp: samples(48_000),
      utc: utc(10_000),
      uncertainty: millis(1),
    };
    expect(captureUtc(point, samples(96_000))).toBe(11_000);
    expect(captureUtc(point, samples(0))).toBe(9000);
  });
});

describe('backoff', () => {
  it('doubles its ceiling from 0.25 to 8 s, with full jitter, and begins anew', () => {
    const backoff = new Backoff({ random: () => 1 });
    expect(Array.from({ length: 7 }, () => backoff.next())).toEqual([
      250, 500, 1000, 2000, 4000, 8000, 8000,
    ]);
    backoff.reset();
    expect(backoff.next()).toBe(250);
    expect(new Backoff({ random: () => 0 }).next()).toBe(0);
  });

  it('may stay short for as long as a restart takes', () => {
    const backoff = new Backoff({ soon: 2000, tries: 6, random: () => 1 });
    const waits = [250, 500, 1000, 2000, 2000, 2000, 4000, 8000, 8000];
    expect(waits.map(() => backoff.next())).toEqual(waits);
    backoff.reset();
    expect(waits.map(() => backoff.next())).toEqual(waits);
  });
});

describe('close codes', () => {
  it('say which are worth a retry', () => {
    for (const code of [1001, 1005, 1006, 1012, 1013, 4408, 4429])
      expect(isWorthRetrying(code)).toBe(true);
    for (const code of [4400, 4401, 4404, 4409, 4410, 4413])
      expect(isWorthRetrying(code)).toBe(false);
  });
});

describe('an Opus packet', () => {
  it.each([
    ['SILK 10 ms mono', '00', 480, 'silk', 1],
    ['SILK 60 ms stereo', '1c', 2880, 'silk', 2],
    ['hybrid 20 ms', '78', 960, 'hybrid', 1],
    ['CELT 2.5 ms', 'e0', 120, 'celt', 1],
    ['CELT 20 ms stereo', 'fc', 960, 'celt', 2],
    ['two frames of 20 ms', 'f9', 1920, 'celt', 1],
    ['three frames by count', 'fb03', 2880, 'celt', 1],
    ['no frames by count', 'fb00', 0, 'celt', 1],
    ['48 frames of 2.5 ms', 'e330', 5760, 'celt', 1],
    ['49 frames of 2.5 ms, too long', 'e331', 0, 'celt', 1],
    ['cut off before its count', 'fb', 0, 'celt', 1],
  ])('%s: %s', (_name, hex, duration, mode, channels) => {
    const packet = Uint8Array.from(Buffer.from(hex, 'hex'));
    expect(opusDuration(packet)).toBe(duration);
    expect(opusMode(packet[0] ?? 0)).toBe(mode);
    expect(opusChannels(packet[0] ?? 0)).toBe(channels);
  });

  it('without a byte has no duration', () => {
    expect(opusDuration(new Uint8Array())).toBe(0);
  });
});

it('milliseconds and samples convert both ways', () => {
  expect(samplesToMillis(samples(960))).toBe(20);
  expect(millisToSamples(millis(2.5))).toBe(120);
});
