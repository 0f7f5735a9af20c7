import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adminToken } from '../../server/auth/admin.ts';
import { isOriginAllowed } from '../../server/auth/origin.ts';
import { Tickets } from '../../server/auth/tickets.ts';
import { ConfigError, helpText, readConfig } from '../../server/config.ts';
import { MAX_LEAD, MediaPace } from '../../server/relay/media-pace.ts';
import { samples, utc } from '../../shared/time.ts';

describe('options', () => {
  it('have defaults that work, and flags win over the environment', () => {
    expect(readConfig([], {})).toMatchObject({ host: '127.0.0.1', port: 8080, logLevel: 'info' });
    expect(readConfig(['--port', '0'], { SKYWAVE_PORT: '9000' })).toMatchObject({ port: 0 });
    expect(readConfig([], { SKYWAVE_PORT: '9000' })).toMatchObject({ port: 9000 });
  });

  it.each([
    ['SKYWAVE_PORT', 'eighty'],
    ['SKYWAVE_PORT', '70000'],
    ['SKYWAVE_PUBLIC_URL', 'radio.example'],
    ['SKYWAVE_ALLOWED_ORIGINS', 'https://ok.example, ftp://no.example'],
    ['SKYWAVE_TRUST_PROXY', 'perhaps'],
    ['SKYWAVE_LOG_LEVEL', 'loud'],
    ['SKYWAVE_ADMIN_TOKEN', 'short'],
    ['SKYWAVE_TLS_CERT', '/nowhere.pem'],
    ['SKYWAVE_LADDER', 'mp3:128'],
    ['SKYWAVE_LADDER', 'aac:128,aac:128'],
    ['SKYWAVE_PART', '0.3'],
    ['SKYWAVE_SEGMENT', '4'],
    ['SKYWAVE_WINDOW', '5'],
    ['SKYWAVE_RECORD', 'sometimes'],
    ['SKYWAVE_RECORD_MIN_FREE', '1 GB'],
  ])('stop the start with one sentence when %s is %s', (name, value) => {
    expect(() => readConfig([], { [name]: value })).toThrow(ConfigError);
    expect(() => readConfig([], { [name]: value })).toThrow(/^[^\n]+\.$/);
  });

  it('name an unknown flag', () => {
    expect(() => readConfig(['--prot', '1'], {})).toThrow(/--prot.*--help/);
  });

  it('are all in the help, with their variables', () => {
    expect(helpText()).toMatch(/--port PORT +SKYWAVE_PORT .*\(8080\)/);
    expect(readConfig(['--help'], {})).toBe('help');
  });
});

describe('access', () => {
  it('the admin token is made once, and only its owner may read it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'skywave-'));
    const token = adminToken(folder);
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(adminToken(folder)).toBe(token);
    expect(statSync(join(folder, 'admin-token')).mode & 0o777).toBe(0o600);
  });

  it('a ticket expires after 30 s', () => {
    const tickets = new Tickets();
    const door = { role: 'publisher', principal: 'admin' } as const;
    const ticket = tickets.issue('live', { ...door, now: utc(0) });
    const late = tickets.issue('live', { ...door, now: utc(0) });
    expect(tickets.redeem(ticket, { channel: 'live', role: 'publisher', now: utc(29_999) })).toBe(
      'admin',
    );
    expect(
      tickets.redeem(late, { channel: 'live', role: 'publisher', now: utc(30_000) }),
    ).toBeUndefined();
  });

  it('an origin is judged by host, port and list', () => {
    const rule = { host: 'radio.example:8080', allowed: ['https://station.example'] };
    expect(isOriginAllowed(undefined, rule)).toBe(true);
    expect(isOriginAllowed('http://radio.example:8080', rule)).toBe(true);
    expect(isOriginAllowed('https://station.example', rule)).toBe(true);
    for (const origin of ['http://radio.example', 'https://radio.example:8081', 'null', '', 'x'])
      expect(isOriginAllowed(origin, rule)).toBe(false);
  });
});

describe('the pace of a media clock', () => {
  const run = (ppm: number, hours: number): number => {
    const pace = new MediaPace(samples(0), utc(0));
    let worst = 0;
    for (let ms = 0; ms < hours * 3_600_000; ms += 1000) {
      const lead = pace.enter(samples(Math.round(ms * 48 * (1 + ppm * 1e-6))), utc(ms));
      worst = Math.max(worst, Math.abs(lead));
    }
    return worst;
  };

  it.each([-900, -200, 0, 200, 900])(
    'stays within 300 ms of a crystal %i ppm off for a day',
    (ppm) => {
      expect(run(ppm, 24)).toBeLessThan(300);
    },
  );

  it('after an outage still knows how late the replay is', () => {
    const pace = new MediaPace(samples(0), utc(0));
    expect(pace.enter(samples(48 * 100), utc(60_100))).toBeLessThan(-59_000);
    expect(pace.enter(samples(48 * 60_000), utc(60_100))).toBeLessThan(0);
  });

  it('notices a publisher that makes time up', () => {
    const pace = new MediaPace(samples(0), utc(0));
    expect(pace.enter(samples(48 * 5100), utc(0))).toBeGreaterThan(MAX_LEAD);
  });
});
