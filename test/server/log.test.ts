import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LiveService, startLiveService } from '../helpers/live-service.ts';
import { HELLO, TestClient, testFrame } from '../helpers/service.ts';

let service: LiveService;
let lines: string[];
beforeAll(async () => {
  service = await startLiveService();
  lines = [];
  service.child.stdout?.on('data', (part: Buffer) => {
    lines.push(
      ...part
        .toString()
        .split('\n')
        .filter((line) => line.startsWith('{')),
    );
  });
});
afterAll(() => service.stop());

const connect = async (): Promise<TestClient> => {
  const { origin, hash } = new URL(service.studio);
  const answer = await fetch(`${origin}/api/v1/channels/live/tickets`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${hash.replace('#token=', '')}`,
      'content-type': 'application/json',
    },
    body: '{"role":"publisher"}',
  });
  const { ticket } = (await answer.json()) as { ticket: string };
  const client = new TestClient(`${origin}/api/v1/channels/live/publish?ticket=${ticket}`);
  await client.until(() => client.socket.readyState === 1);
  client.send({ ...HELLO, takeover: true });
  await client.text('welcome');
  return client;
};

it.each([
  ['text that is not JSON', 4400, (client: TestClient) => client.socket.send('{"swordfish')],
  ['an unknown type', 4400, (client: TestClient) => client.send({ type: 'swordfish' })],
  ['a frame too large', 4413, (client: TestClient) => client.send(testFrame(0, { bytes: 1501 }))],
  ['a message too big', 1009, (client: TestClient) => client.send(testFrame(0, { bytes: 5000 }))],
  [
    'a flood, of which only the first too many counts',
    4429,
    (client: TestClient) => {
      for (let id = 0; id < 300; id += 1) client.send({ type: 'ping', id, sent: 0 });
    },
  ],
])('%s makes one line in the log, without what was sent', async (_name, code, offend) => {
  const client = await connect();
  lines.length = 0;
  offend(client);
  expect((await client.ended()).code).toBe(code);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(/swordfish|node_modules|\.ts/);
});
