import { describe, expect, it } from 'vitest';
import { BitrateMeter } from '../../server/relay/bitrate-meter.ts';
import { PlaylistClients } from '../../server/relay/playlist-clients.ts';
import { millis, samples, utc } from '../../shared/time.ts';

const client = (index: number, agent = 'player') => ({ address: `10.0.0.${index}`, agent });

describe('the estimate of who listens over HTTP', () => {
  it('counts an address and user agent once, and forgets who asks no more', () => {
    const clients = new PlaylistClients({ within: millis(12_000) });
    for (let second = 0; second < 10; second += 1) {
      clients.enter(client(1), utc(1000 * second));
      clients.enter(client(1, 'another'), utc(1000 * second));
      if (second < 5) clients.enter(client(2), utc(1000 * second));
    }
    expect(clients.count(utc(9000))).toBe(3);
    expect(clients.count(utc(15_999))).toBe(3);
    expect(clients.count(utc(16_000))).toBe(2);
    expect(clients.count(utc(21_000))).toBe(0);
  });

  it('remembers no more clients than it may, the longest ago going first', () => {
    const clients = new PlaylistClients({ within: millis(12_000), most: 100 });
    for (let index = 0; index < 1000; index += 1) clients.enter(client(index), utc(index));
    expect(clients.count(utc(1000))).toBe(100);
    expect(clients.overflow).toBe(900);
  });
});

describe('the bitrate of what a publisher sends', () => {
  const frame = (bytes: number) => ({ packet: new Uint8Array(bytes), duration: samples(960) });

  it('is that of the last four seconds of sound, however late they came', () => {
    const meter = new BitrateMeter();
    expect(meter.read(utc(0))).toBeNull();
    for (let index = 0; index < 200; index += 1) meter.enter(frame(240), utc(index * 20));
    expect(meter.read(utc(3999))).toBe(96_000);
    // A replay at ten times the pace is the same sound.
    for (let index = 0; index < 200; index += 1) meter.enter(frame(80), utc(8000 + index * 2));
    expect(meter.read(utc(8500))).toBe(32_000);
    expect(meter.read(utc(12_000))).toBeNull();
  });
});
