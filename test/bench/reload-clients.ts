/**
 * The clients of the reloads benchmark, in a process of their own that stays awake while it waits:
 * on loopback the server pays for waking its peers, which players that are elsewhere do not ask of
 * it. `process.hrtime` is one clock for all processes.
 */
import { createConnection, type Socket } from 'node:net';

/** What the clients are to do. */
export type ReloadOrder = { readonly port: number; readonly path: string };

/** When each answer was complete, ns, and how many bytes the first one's body had. */
export type ReloadAnswers = { readonly at: readonly bigint[]; readonly bytes: number };

const clients = Number(process.argv[2]);
const HEAD_END = Buffer.from('\r\n\r\n');

const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true }, () => {
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('error', reject);
  });

/** Sends one request; resolves with the moment at which its whole answer was there. */
const ask = (socket: Socket, path: string): Promise<{ at: bigint; bytes: number }> =>
  new Promise((resolve, reject) => {
    let got = Buffer.alloc(0);
    const take = (bytes: Buffer): void => {
      got = Buffer.concat([got, bytes]);
      const end = got.indexOf(HEAD_END);
      if (end < 0) return;
      const head = got.subarray(0, end).toString('latin1');
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1]);
      if (got.length < end + HEAD_END.length + length) return;
      const at = process.hrtime.bigint();
      socket.off('data', take);
      if (head.startsWith('HTTP/1.1 200') && Number.isFinite(length))
        resolve({ at, bytes: length });
      else reject(new Error(`Not what was asked for: ${head}`));
    };
    socket.on('data', take);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n`);
  });

const sockets = new Map<number, Promise<readonly Socket[]>>();

const socketsTo = (port: number): Promise<readonly Socket[]> => {
  let known = sockets.get(port);
  if (known === undefined) {
    // One after the other, so that no connection waits for a second try.
    known = (async () => {
      const opened: Socket[] = [];
      while (opened.length < clients) opened.push(await open(port));
      return opened;
    })();
    sockets.set(port, known);
  }
  return known;
};

/** Keeps the event loop turning until the returned function is called. */
const stayAwake = (): (() => void) => {
  let next: NodeJS.Immediate;
  const turn = (): void => {
    next = setImmediate(turn);
  };
  turn();
  return () => clearImmediate(next);
};

// Whoever stays awake must not outlive the bench that it works for.
process.on('disconnect', () => process.exit());
process.on('message', async ({ port, path }: ReloadOrder) => {
  const opened = await socketsTo(port);
  const sleepAgain = stayAwake();
  // Without a path they only connect.
  const answers = path === '' ? [] : await Promise.all(opened.map((socket) => ask(socket, path)));
  sleepAgain();
  const message: ReloadAnswers = {
    at: answers.map(({ at }) => at),
    bytes: answers[0]?.bytes ?? 0,
  };
  process.send?.(message);
});
