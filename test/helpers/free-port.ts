/** Ports for programs that must be told one. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A port that nobody uses now. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  if (bound === null || typeof bound === 'string') throw new Error('There is no port.');
  return bound.port;
};
