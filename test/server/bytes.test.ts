import Fastify from 'fastify';
import { afterAll, describe, expect, it } from 'vitest';
import { FOR_EVER, isKnown, sendBytes } from '../../server/routes/bytes.ts';

const BYTES = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));
const app = Fastify({ exposeHeadRoutes: true });
app.get('/segment', (request, reply) =>
  sendBytes(request, reply, { bytes: BYTES, type: 'audio/mp4', cache: FOR_EVER }),
);
afterAll(() => app.close());

const ask = async (method: 'GET' | 'HEAD', headers: Record<string, string>) => {
  const {
    statusCode,
    headers: told,
    rawPayload,
  } = await app.inject({
    ...{ method, url: '/segment', headers },
  });
  return { status: statusCode, length: Number(told['content-length']), bytes: rawPayload };
};

describe('a range of a segment', () => {
  it('comes to a GET', async () => {
    const { status, bytes } = await ask('GET', { range: 'bytes=10-19' });
    expect(status).toBe(206);
    expect(bytes).toEqual(BYTES.subarray(10, 20));
    expect((await ask('GET', { range: 'bytes=1000-' })).status).toBe(416);
  });

  it.each(['bytes=10-19', 'bytes=1000-'])('is not for HEAD: %s', async (range) => {
    expect(await ask('HEAD', { range })).toMatchObject({ status: 200, length: 1000 });
  });

  it.each(['"other"', 'W/"other"', 'Sun, 29 Nov 2026 12:00:00 GMT'])(
    'is not for who has something else, by If-Range: %s',
    async (condition) => {
      const answer = await ask('GET', { range: 'bytes=10-19', 'if-range': condition });
      expect(answer).toMatchObject({ status: 200, length: 1000 });
    },
  );
});

describe('what a client has already', () => {
  it.each(['"abc"', 'W/"abc"', '"x", W/"abc" , "y"', '*'])(
    'is known by If-None-Match: %s',
    (told) => {
      expect(isKnown(told, 'W/"abc"')).toBe(true);
      expect(isKnown(told, '"abc"')).toBe(true);
    },
  );

  it.each([undefined, '', '"abcd"', 'abc', '"ABC"', ','])('is not known by %s', (told) => {
    expect(isKnown(told, 'W/"abc"')).toBe(false);
  });
});
