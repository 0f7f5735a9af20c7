import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSource } from '../../client/audio/media-element-source.ts';
import { transportFor } from '../../client/state/quality.ts';

const MULTIVARIANT = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=71000,AVERAGE-BANDWIDTH=66123,CODECS="mp4a.40.2"
aac64.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=140000,AVERAGE-BANDWIDTH=131000,CODECS="mp4a.40.2",NAME="a, b"
../media/s3cret/aac128/index.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=99000,CODECS="opus"
/elsewhere/best.m3u8?x=1
`;
const MEDIA = '#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-PART-INF:PART-TARGET=0.32\n';

let answers: Record<string, (response: ServerResponse) => unknown> = {};
const server = createServer((request, response) => {
  const answer = answers[request.url ?? ''];
  if (answer) answer(response);
  else response.writeHead(404).end();
});
let base = '';

beforeEach(async () => {
  answers = {
    '/hls/index.m3u8': (response) => response.end(MULTIVARIANT),
    '/media/s3cret/aac128/index.m3u8': (response) => response.end(MEDIA),
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const read = () => readSource(`${base}/hls/index.m3u8`, AbortSignal.timeout(5000));

describe('what the playlists say', () => {
  it('is what may be chosen, the best first, and whether there are parts', async () => {
    expect(await read()).toEqual({
      is: 'live',
      variants: [
        {
          name: 'aac128',
          url: `${base}/media/s3cret/aac128/index.m3u8`,
          codec: 'AAC',
          bitrate: 128_000,
        },
        { name: 'best', url: `${base}/elsewhere/best.m3u8?x=1`, codec: 'Opus', bitrate: 99_000 },
        { name: 'aac64', url: `${base}/hls/aac64.m3u8`, codec: 'AAC', bitrate: 64_000 },
      ],
      part: 0.32,
    });
  });

  it.each([
    [404, 'missing'],
    [401, 'refused'],
    [403, 'refused'],
    [503, 'unreachable'],
  ])('is with status %i: %s', async (status, is) => {
    answers['/hls/index.m3u8'] = (response) => response.writeHead(status).end();
    expect(await read()).toEqual({ is });
  });

  it('is that the broadcast has ended', async () => {
    answers['/media/s3cret/aac128/index.m3u8'] = (response) =>
      response.end(`${MEDIA}#EXT-X-ENDLIST\n`);
    expect(await read()).toEqual({ is: 'ended' });
  });

  it('is nothing while nobody answers, or what answers is no playlist', async () => {
    answers['/hls/index.m3u8'] = (response) => response.destroy();
    expect(await read()).toEqual({ is: 'unreachable' });
    answers['/hls/index.m3u8'] = (response) => response.end('<html>a captive portal</html>');
    expect(await read()).toEqual({ is: 'missing' });
  });
});

describe('the way of the sound', () => {
  it.each([
    ['closest', null, 'websocket'],
    ['closest', 'browser', 'll-hls'],
    ['closest', 'unreachable', 'll-hls'],
    ['closest', 'asleep', 'll-hls'],
    ['closest', 'slow', 'hls'],
    ['balanced', null, 'll-hls'],
    ['balanced', 'browser', 'll-hls'],
    ['stable', null, 'hls'],
    ['stable', 'browser', 'hls'],
  ] as const)('to be %s with the obstacle %s is %s', (quality, obstacle, transport) => {
    expect(transportFor(quality, obstacle)).toBe(transport);
  });
});
