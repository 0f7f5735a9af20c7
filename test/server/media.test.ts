import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RealPublisher } from '../helpers/real-publisher.ts';
import { startService, type TestService } from '../helpers/service.ts';

let service: TestService;
let publisher: RealPublisher;
let path: string;
const get = (address: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(service.base + address, { headers });
const until = async (address: string, within = 10_000): Promise<string> => {
  for (const deadline = Date.now() + within; ; await sleep(50)) {
    const answer = await get(address);
    if (answer.status === 200) return answer.text();
    if (Date.now() > deadline) throw new Error(`${address}: ${answer.status}`);
  }
};
/** Sequence and part of the newest part that a playlist lists. */
const newest = (playlist: string): [number, number] => {
  const [, sequence, part] =
    [...playlist.matchAll(/#EXT-X-PART:.*URI="(\d+)\.(\d+)\.m4s"/g)].at(-1) ?? [];
  return [Number(sequence), Number(part)];
};

beforeAll(async () => {
  service = await startService();
  publisher = await RealPublisher.start(service);
  const begun = Date.now();
  const multivariant = await until('/c/live/hls/index.m3u8');
  expect(Date.now() - begun).toBeLessThan(6000);
  path = `/c/live${/\.\.(\/media\/[^/]+)\//.exec(multivariant)?.[1]}`;
}, 30_000);
afterAll(() => service.stop());

describe('playlists', () => {
  it('are found from the multivariant ones: AAC, Opus, transport stream', async () => {
    const opus = await until('/c/live/hls/opus.m3u8');
    expect(opus).toContain('CODECS="opus"');
    const ts = await until('/c/live/hls/ts.m3u8');
    expect(ts.match(/ts\.m3u8/g)).toHaveLength(2);
    const main = await until('/c/live/hls/index.m3u8');
    expect(main).not.toContain('opus');
    for (const uri of main.split('\n').filter((line) => line.startsWith('../')))
      expect((await get(`/c/live/${uri.slice(3)}`)).status).toBe(200);
  });

  it('carry types, cross-origin headers, and one compressed text for all', async () => {
    const answer = await get(`${path}/aac128/index.m3u8`, { 'accept-encoding': 'identity' });
    expect(answer.headers.get('content-type')).toContain('application/vnd.apple.mpegurl');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('cache-control')).toContain('max-age=1');
    const etag = answer.headers.get('etag') ?? '';
    expect(await answer.text()).toMatch(/^#EXTM3U/);
    const again = await get(`${path}/aac128/index.m3u8`, { 'if-none-match': etag });
    expect([200, 304]).toContain(again.status);
    const options = await fetch(`${service.base}${path}/aac128/index.m3u8`, { method: 'OPTIONS' });
    expect(options.status).toBe(204);
    const head = await fetch(`${service.base}/c/live/hls/index.m3u8`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('wait for the part that is asked for, and come with it', async () => {
    const [sequence, part] = newest(await until(`${path}/aac128/index.m3u8`));
    const asked = `${path}/aac128/index.m3u8?_HLS_msn=${sequence}&_HLS_part=${part + 2}`;
    const text = await (await get(asked)).text();
    const [reached, reachedPart] = newest(text);
    expect(reached * 100 + reachedPart).toBeGreaterThanOrEqual(
      sequence * 100 + Math.min(part + 2, 11),
    );
  });

  it('answer a thousand who wait with one text', async () => {
    const output = service.station.desk('live')?.packager.programme?.outputs.get('aac64');
    const [sequence, part] = newest(await until(`${path}/aac64/index.m3u8`));
    // Far enough ahead for a thousand connections to be made meanwhile.
    const asked = `${path}/aac64/index.m3u8?_HLS_msn=${sequence + 1}&_HLS_part=${part}`;
    const answers = await Promise.all(
      Array.from({ length: 1000 }, () =>
        get(asked, { 'accept-encoding': 'identity' }).then((r) => r.text()),
      ),
    );
    expect(new Set(answers).size).toBe(1);
    expect(output?.waiting).toBe(0);
  });

  it.each([
    '_HLS_part=1',
    '_HLS_msn=-1',
    '_HLS_msn=abc',
    '_HLS_msn=1e9',
    '_HLS_msn=99999999999999999999',
    '_HLS_msn=999999',
    '_HLS_msn=1&_HLS_msn=2',
    '_HLS_msn=1&_HLS_part=x',
  ])('are refused with 400 for ?%s', async (query) => {
    const answer = await get(`${path}/aac128/index.m3u8?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });
});

describe('media', () => {
  it('is there for ever under names that no other segment gets, whole or in ranges', async () => {
    const whole = await get(`${path}/aac128/0.m4s`);
    const bytes = Buffer.from(await whole.arrayBuffer());
    expect(whole.headers.get('cache-control')).toContain('immutable');
    expect(whole.headers.get('content-type')).toBe('audio/mp4');
    const parts = await Promise.all(
      Array.from({ length: 12 }, async (_, part) =>
        Buffer.from(await (await get(`${path}/aac128/0.${part}.m4s`)).arrayBuffer()),
      ),
    );
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    for (const [range, status, length] of [
      ['bytes=0-99', 206, 100],
      ['bytes=-10', 206, 10],
      ['bytes=100-', 206, bytes.length - 100],
      [`bytes=${bytes.length}-`, 416, 0],
      ['bytes=5-2', 416, 0],
      ['bytes=a-b', 200, bytes.length],
      ['bytes=0-1,3-4', 200, bytes.length],
    ] as const) {
      const answer = await get(`${path}/aac128/0.m4s`, { range });
      expect([range, answer.status]).toEqual([range, status]);
      if (status !== 416) expect((await answer.arrayBuffer()).byteLength).toBe(length);
    }
  });

  it('that comes next is held, and sent whole', async () => {
    const text = await until(`${path}/aac128/index.m3u8`);
    const hint = /PRELOAD-HINT:TYPE=PART,URI="([^"]+)"/.exec(text)?.[1];
    const answer = await get(`${path}/aac128/${hint}`);
    expect(answer.status).toBe(200);
    expect(Number(answer.headers.get('content-length'))).toBeGreaterThan(1000);
  });

  it('of a segment that grows is sent as it grows, for low-latency DASH', async () => {
    const [sequence] = newest(await until(`${path}/aac128/index.m3u8`));
    const answer = await get(`${path}/aac128/${sequence + 1}.m4s`);
    const streamed = Buffer.from(await answer.arrayBuffer());
    const whole = Buffer.from(
      await (await get(`${path}/aac128/${sequence + 1}.m4s`)).arrayBuffer(),
    );
    expect(streamed.equals(whole)).toBe(true);
  }, 20_000);

  it.each([
    '/aac128/nothing.m4s',
    '/aac128/999999.m4s',
    '/aac128/0.99.m4s',
    '/aac128/%2e%2e%2f0.m4s',
    '/flac/index.m3u8',
    '/opus/ts.m3u8',
    '/aac128/0.exe',
  ])('that does not exist is 404: %s', async (name) => {
    expect((await get(path + name)).status).toBe(404);
    expect((await get(`/c/live/media/guess${name}`)).status).toBe(404);
  });
});

it('a channel that is off the air answers 404 and says when to ask again', async () => {
  await fetch(`${service.base}/api/v1/channels`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ slug: 'quiet' }),
  });
  for (const address of ['hls/index.m3u8', 'hls/opus.m3u8', 'hls/ts.m3u8', 'dash/manifest.mpd']) {
    const answer = await get(`/c/quiet/${address}`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('cache-control')).toBe('max-age=1');
  }
  expect((await get('/c/nowhere/hls/index.m3u8')).status).toBe(404);
});

it('a continuous channel plays silence before anyone has spoken', async () => {
  await fetch(`${service.base}/api/v1/channels`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ slug: 'always', continuous: true }),
  });
  expect(await until('/c/always/hls/index.m3u8', 12_000)).toContain('mp4a');
  // Zero of its manifest is one that needs no memory, for it may never change.
  expect(await until('/c/always/dash/manifest.mpd')).toContain(
    'StartTime="1970-01-01T00:00:00.000Z"',
  );
}, 20_000);

/** A request as it is on the wire; fetch would decode the answer. */
const raw = (
  address: string,
  accepted: string,
): Promise<{ answer: IncomingMessage; body: Buffer }> =>
  new Promise((resolve, reject) => {
    request(service.base + address, { headers: { 'accept-encoding': accepted } }, (answer) => {
      buffer(answer).then((body) => resolve({ answer, body }), reject);
    })
      .on('error', reject)
      .end();
  });

const DECODERS = { br: brotliDecompressSync, gzip: gunzipSync, identity: (body: Buffer) => body };

it.each(['hls/index.m3u8', 'hls/ts.m3u8', 'dash/manifest.mpd', 'playlist'])(
  'texts come in the encoding that the client likes best, and are the same in each: %s',
  async (name) => {
    const address = name === 'playlist' ? `${path}/aac64/index.m3u8` : `/c/live/${name}`;
    const texts: string[] = [];
    for (const [accepted, encoding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip;q=1, br;q=0.5', 'gzip'],
      ['br;q=0, gzip;q=0', 'identity'],
    ] as const) {
      const { answer, body } = await raw(address, accepted);
      expect(answer.statusCode).toBe(200);
      expect(answer.headers['content-encoding'] ?? 'identity').toBe(encoding);
      expect(answer.headers.vary).toBe('Accept-Encoding');
      const text = DECODERS[encoding](body).toString();
      expect(text).toMatch(/^#EXTM3U|^<\?xml/);
      texts.push(`${answer.headers.etag} ${text}`);
    }
    // A part may have come in between, but not two.
    expect(new Set(texts).size).toBeLessThan(3);
  },
);

it('a manifest is rendered once a part, however many ask', async () => {
  const programme = service.station.desk('live')?.packager.programme;
  const before = programme?.texts.costs.renders ?? 0;
  const begun = programme?.outputs.get('opus')?.version ?? 0;
  for (let index = 0; index < 100; index += 1) await get('/c/live/dash/manifest.mpd');
  const versions = [...(programme?.outputs.values() ?? [])].map(({ version }) => version);
  // Three outputs, each of which counts a part at most thrice.
  const parts = Math.max(...versions) - begun;
  expect((programme?.texts.costs.renders ?? 0) - before).toBeLessThanOrEqual(3 * (parts + 3));
});

it('transport streams declare their own bitrates, not those of fMP4', async () => {
  const multivariant = await (await get('/c/live/hls/ts.m3u8')).text();
  const declared = [...multivariant.matchAll(/AVERAGE-BANDWIDTH=(\d+).*\n\.\.(\S+)/g)];
  expect(declared).toHaveLength(2);
  for (const [, bandwidth, address] of declared) {
    const playlist = await (await get(`/c/live${address}`)).text();
    const segments = [...playlist.matchAll(/#EXTINF:([\d.]+),\n(\S+)/g)];
    let [bytes, seconds] = [0, 0];
    for (const [, duration, name] of segments) {
      const segment = await get(`/c/live${address?.replace('ts.m3u8', name ?? '')}`);
      bytes += (await segment.arrayBuffer()).byteLength;
      seconds += Number(duration);
    }
    // A segment may have been added in between.
    expect(Math.abs(Number(bandwidth) / ((8 * bytes) / seconds) - 1)).toBeLessThan(0.02);
  }
  const fmp4 = await (await get('/c/live/hls/index.m3u8')).text();
  const [, lower] = /AVERAGE-BANDWIDTH=(\d+)/.exec(fmp4) ?? [];
  expect(Number(declared[0]?.[1])).toBeGreaterThan(1.02 * Number(lower));
});

it('a title changes at its sample, and the end comes within two seconds', async () => {
  await fetch(`${service.base}/api/v1/channels/live/metadata`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'Sea & "sky"', artist: 'The Harbour' }),
  });
  await sleep(700);
  const titled = await (await get(`${path}/aac128/index.m3u8`)).text();
  expect(titled).toMatch(/#EXT-X-DATERANGE:.*Sea/);
  await publisher.end();
  await sleep(1900);
  for (const rendition of ['aac128', 'aac64', 'opus'])
    expect(await (await get(`${path}/${rendition}/index.m3u8`)).text()).toContain('#EXT-X-ENDLIST');
  const again = await RealPublisher.start(service);
  await sleep(500);
  // What a listener had before is still there, under its own secret.
  expect((await get(`${path}/aac128/0.m4s`)).status).toBe(200);
  await again.end();
}, 20_000);
