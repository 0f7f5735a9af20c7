import { createConnection } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  buyTicket,
  connectPublisher,
  HELLO,
  startListener,
  startPublisher,
  startService,
  type TestClient,
  type TestService,
  testFrame,
} from '../helpers/service.ts';

let service: TestService;
let witness: TestClient;
beforeAll(async () => {
  service = await startService();
  witness = await startListener(service);
});
afterAll(async () => {
  await service.stop();
});
afterEach(() => {
  // Whatever a stranger did, a listener that was there hears of nothing and stays.
  expect(witness.closed).toBeUndefined();
});

const upgrade = async (
  path: string,
  {
    headers = {},
    protocols = ['skywave.v1'],
  }: { headers?: Record<string, string>; protocols?: string[] } = {},
): Promise<number> => {
  const socket = new WebSocket(service.base.replace('http', 'ws') + path, protocols, { headers });
  return new Promise((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0);
      socket.terminate();
    });
    socket.on('open', () => {
      resolve(101);
      socket.terminate();
    });
    socket.on('error', () => {});
  });
};
const listenPath = '/api/v1/channels/live/listen';
const publishPath = '/api/v1/channels/live/publish';

describe('an upgrade', () => {
  it('without the subprotocol is refused with 426', async () => {
    expect(await upgrade(listenPath, { protocols: [] })).toBe(426);
    expect(await upgrade(listenPath, { protocols: ['skywave.v9'] })).toBe(426);
    expect(await upgrade(listenPath, { protocols: ['skywave.v9', 'skywave.v1'] })).toBe(101);
  });

  it('from a foreign site is refused with 403, from our own page or a program let in', async () => {
    const origin = (value: string): Promise<number> =>
      upgrade(listenPath, { headers: { origin: value } });
    expect(await origin('https://evil.example')).toBe(403);
    expect(await origin('null')).toBe(403);
    expect(await origin(service.base)).toBe(101);
    expect(await upgrade(listenPath)).toBe(101);
  });

  it('to a channel that does not exist is refused with 404', async () => {
    expect(await upgrade('/api/v1/channels/nowhere/listen')).toBe(404);
  });

  it('to publish needs a ticket that is fresh, for this door, and unused', async () => {
    expect(await upgrade(publishPath)).toBe(401);
    expect(await upgrade(`${publishPath}?ticket=guess`)).toBe(401);
    const ticket = await buyTicket(service);
    expect(await upgrade(`${publishPath}?ticket=${ticket}`)).toBe(101);
    expect(await upgrade(`${publishPath}?ticket=${ticket}`)).toBe(401);
    const listening = await buyTicket(service, 'listener');
    expect(await upgrade(`${publishPath}?ticket=${listening}`)).toBe(401);
  });

  it('repeated parameters and other nonsense are refused, not crashes', async () => {
    expect(await upgrade(`${publishPath}?ticket=a&ticket=b`)).toBe(401);
    expect(await upgrade(`/api/v1/channels/${'x'.repeat(5000)}/listen`)).toBe(414);
    expect(await upgrade('/api/v1/channels/%00%ff/listen')).toBeGreaterThanOrEqual(400);
  });
});

describe('a publisher is closed', () => {
  const refused = async (
    act: (client: TestClient, epoch: number) => void,
    { hello = HELLO as object | null } = {},
  ): Promise<number> => {
    const { client, epoch } =
      hello === null
        ? { client: await connectPublisher(service), epoch: 0 }
        : await startPublisher(service, { takeover: true, ...hello });
    act(client, epoch);
    return (await client.ended()).code;
  };

  it('4400 for text that is not JSON, or not a message we know', async () => {
    expect(await refused((client) => client.socket.send('{"type":'))).toBe(4400);
    expect(await refused((client) => client.socket.send('"hello"'))).toBe(4400);
    expect(await refused((client) => client.send({ type: 'dance' }))).toBe(4400);
    expect(await refused((client) => client.send({ type: 'clock', epoch: 'one' }))).toBe(4400);
    expect(await refused((client) => client.send({ type: '__proto__' }))).toBe(4400);
  });

  it('4400 for a session that does not begin with hello, or says it twice', async () => {
    expect(await refused((client) => client.send(testFrame(0)), { hello: null })).toBe(4400);
    expect(await refused((client) => client.send(HELLO))).toBe(4400);
    expect(
      await refused((client) => client.send({ ...HELLO, role: 'listener' }), { hello: null }),
    ).toBe(4400);
  });

  it('4400 for a frame shorter than its header, or of another kind', async () => {
    expect(await refused((client) => client.send(new Uint8Array(16)))).toBe(4400);
    expect(await refused((client) => client.send(new Uint8Array(0)))).toBe(4400);
    const other = testFrame(0);
    other[0] = 2;
    expect(await refused((client) => client.send(other))).toBe(4400);
  });

  it('4400 for a duration that is not the packet’s own, or not on the grid', async () => {
    const wrong = testFrame(0);
    wrong[3] = 4;
    expect(await refused((client) => client.send(wrong))).toBe(4400);
    const sixty = testFrame(0);
    sixty[3] = 24;
    sixty[16] = 0x18;
    expect(await refused((client) => client.send(sixty))).toBe(4400);
  });

  it('4400 for a sequence that goes back', async () => {
    const code = await refused((client, epoch) => {
      client.send(testFrame(5, { epoch }));
      client.send(testFrame(5, { epoch }));
    });
    expect(code).toBe(4400);
  });

  it('4400 for a timestamp that jumps forth without saying so, or back', async () => {
    const jump = (timestamp: number) => (client: TestClient, epoch: number) => {
      client.send(testFrame(0, { epoch, timestamp: 9600 }));
      client.send(testFrame(1, { epoch, timestamp }));
    };
    expect(await refused(jump(96_000))).toBe(4400);
    expect(await refused(jump(0))).toBe(4400);
  });

  it('4429 for media time that runs ahead', async () => {
    const code = await refused((client, epoch) => {
      for (let sequence = 0; sequence < 300; sequence += 1)
        client.send(testFrame(sequence, { epoch }));
    });
    expect(code).toBe(4429);
  });

  it('4413 for a frame that is too large, 1009 beyond what any message may have', async () => {
    expect(await refused((client) => client.send(testFrame(0, { bytes: 1501 })))).toBe(4413);
    expect(await refused((client) => client.send(testFrame(0, { bytes: 5000 })))).toBe(1009);
  });

  it('4400 for an epoch that was never given out', async () => {
    expect(await refused((client, epoch) => client.send(testFrame(0, { epoch: epoch + 1 })))).toBe(
      4400,
    );
  });

  it('4429 for a flood of control messages', async () => {
    const code = await refused((client) => {
      for (let id = 0; id < 200; id += 1) client.send({ type: 'ping', id, sent: 0 });
    });
    expect(code).toBe(4429);
  });

  it('1008 for a message in tiny fragments', async () => {
    const code = await refused((client) => {
      for (let part = 0; part < 50; part += 1)
        client.socket.send('x', { fin: false, binary: false });
    });
    expect(code).toBe(1008);
  });

  it('but not for clock maps that make no sense: they are ignored', async () => {
    const { client, epoch } = await startPublisher(service, { ...HELLO, takeover: true });
    for (const utc of [0, Date.now() + 1e9, -1e15])
      client.send({ type: 'clock', epoch, timestamp: 0, utc, uncertainty: 0 });
    client.send({ type: 'clock', epoch: epoch + 5, timestamp: 0, utc: Date.now(), uncertainty: 0 });
    client.send(testFrame(0, { epoch }));
    await client.text('ack');
    expect(witness.texts.filter((message) => message.type === 'clock')).toHaveLength(0);
    client.close();
  });
});

describe('a listener is closed', () => {
  const refused = async (act: (client: TestClient) => void): Promise<number> => {
    const client = await startListener(service, { reports: false });
    act(client);
    return (await client.ended()).code;
  };

  it('4400 when it sends audio, or reports nonsense', async () => {
    expect(await refused((client) => client.send(testFrame(0)))).toBe(4400);
    expect(await refused((client) => client.send({ type: 'report', sequence: -1 }))).toBe(4400);
    expect(await refused((client) => client.send({ type: 'seek', behind: 'NaN' }))).toBe(4400);
  });

  it('4429 for a flood of reports', async () => {
    expect(
      await refused((client) => {
        for (let id = 0; id < 200; id += 1) client.send({ type: 'ping', id, sent: 0 });
      }),
    ).toBe(4429);
  });
});

describe('over HTTP', () => {
  const tickets = (
    headers: Record<string, string>,
    body = '{"role":"publisher"}',
  ): Promise<Response> =>
    fetch(`${service.base}/api/v1/channels/live/tickets`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });

  it('a missing or wrong token is 401, a malformed body 400, all as problem documents', async () => {
    for (const [headers, body, status, code] of [
      [{}, undefined, 401, 'token-missing'],
      [{ authorization: 'Bearer wrong' }, undefined, 401, 'token-wrong'],
      [{ authorization: `Bearer ${service.token}` }, '{"role":"king"}', 400, 'bad-request'],
      [{ authorization: `Bearer ${service.token}` }, '{', 400, 'bad-request'],
    ] as const) {
      const answer = await tickets(headers as Record<string, string>, body);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(await answer.json()).toMatchObject({ status, code });
    }
  });

  it('guessing is 429 after 30 tries a minute, and a right token still passes', async () => {
    const statuses: number[] = [];
    for (let guess = 0; guess < 32; guess += 1)
      statuses.push((await tickets({ authorization: `Bearer ${guess}` })).status);
    expect(statuses.at(-1)).toBe(429);
    const answer = await tickets({ authorization: 'Bearer again' });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await tickets({ authorization: `Bearer ${service.token}` })).status).toBe(201);
  });

  it('an unknown path is a 404 without a stack', async () => {
    const answer = await fetch(`${service.base}/api/v1/%2e%2e/%2e%2e/etc/passwd`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).not.toMatch(/node_modules|at .*\.ts/);
  });

  it('raw bytes that are not HTTP close the connection', async () => {
    const port = Number(new URL(service.base).port);
    const answer = await new Promise<string>((resolve) => {
      const socket = createConnection({ port, host: '127.0.0.1' }, () =>
        socket.write('\x16\x03\x01\r\n\r\n'),
      );
      let text = '';
      socket.on('data', (data) => {
        text += data.toString();
      });
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400|^$/);
  });
});
