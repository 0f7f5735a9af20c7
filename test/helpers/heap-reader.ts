/** What a Node process really needs: its heap right after a forced collection, over the inspector. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { freePort } from './free-port.ts';

const MEBIBYTE = 1024 * 1024;

/** Reads the heap of a process that was started with `argument`. */
export class HeapReader {
  readonly #port: number;
  #calls = 0;

  private constructor(port: number) {
    this.#port = port;
  }

  static async prepare(): Promise<HeapReader> {
    return new HeapReader(await freePort());
  }

  /** For the process that is to be read. */
  get argument(): string {
    return `--inspect=127.0.0.1:${this.#port}`;
  }

  /** Used heap after a collection, MiB. */
  async read(): Promise<number> {
    const answer = await fetch(`http://127.0.0.1:${this.#port}/json/list`);
    const [target] = (await answer.json()) as { webSocketDebuggerUrl: string }[];
    if (target === undefined) throw new Error('The process has no inspector.');
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    try {
      await once(socket, 'open');
      await this.#call(socket, 'HeapProfiler.collectGarbage');
      const { usedSize } = (await this.#call(socket, 'Runtime.getHeapUsage')) as {
        usedSize: number;
      };
      return usedSize / MEBIBYTE;
    } finally {
      socket.terminate();
    }
  }

  async #call(socket: WebSocket, method: string): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    socket.send(JSON.stringify({ id, method }));
    for (;;) {
      const [message] = (await once(socket, 'message')) as [Buffer];
      const answer = JSON.parse(message.toString()) as { id?: number; result?: unknown };
      if (answer.id === id) return answer.result;
    }
  }
}
