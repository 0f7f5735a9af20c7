import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { Liveness } from '../../server/relay/liveness.ts';

let server: WebSocketServer;
let liveness: Liveness;
beforeEach(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  liveness = new Liveness(() => server.clients);
  server.on('connection', (socket) => liveness.watch(socket));
  await once(server, 'listening');
});
afterEach(() => {
  liveness.stop();
  for (const socket of server.clients) socket.terminate();
  server.close();
});

const connect = async (options: { autoPong: boolean }): Promise<WebSocket> => {
  const { port } = server.address() as { port: number };
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, options);
  await once(socket, 'open');
  return socket;
};

it('who answers no ping is cut off at the fourth round, and who answers stays', async () => {
  const [silent, awake] = [await connect({ autoPong: false }), await connect({ autoPong: true })];
  const closed = once(silent, 'close');
  for (let round = 0; round < 3; round += 1) {
    const asked = Promise.all([once(silent, 'ping'), once(awake, 'ping')]);
    liveness.round();
    await asked;
  }
  expect(server.clients.size).toBe(2);
  // The last answer has to arrive.
  for (const socket of server.clients) socket.ping();
  await once(awake, 'ping');
  await new Promise((resolve) => setTimeout(resolve, 50));
  liveness.round();
  expect((await closed)[0]).toBe(1006);
  liveness.round();
  await once(awake, 'ping');
  expect(awake.readyState).toBe(WebSocket.OPEN);
});
