import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SocketPatience } from '../../client/state/socket-patience.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A network whose HTTP works or not, and a patience that notes what it did. */
const patience = ({ http = true } = {}) => {
  const network = { http };
  const done: string[] = [];
  const one = new SocketPatience({
    httpWorks: async () => {
      done.push('ask');
      return network.http;
    },
    hurry: () => done.push('hurry'),
    giveUp: () => done.push('give up'),
  });
  return { one, done, network };
};

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('the patience with a socket', () => {
  it('ends at the first loss after HTTP was seen to work', async () => {
    const { one, done } = patience();
    one.lost();
    await pass(100);
    expect(done).toEqual([]);
    one.lost();
    await pass(100);
    expect(done).toEqual(['ask', 'hurry']);
    one.lost();
    expect(done).toEqual(['ask', 'hurry', 'give up']);
    one.lost();
    await pass(60_000);
    expect(done).toHaveLength(3);
  });

  it('ends when a socket neither opens nor fails for twice four seconds', async () => {
    const { done } = patience();
    await pass(7900);
    expect(done).toEqual(['ask', 'hurry']);
    await pass(200);
    expect(done).toEqual(['ask', 'hurry', 'give up']);
  });

  it('lasts while the server is away altogether, and through its return', async () => {
    const { one, done, network } = patience({ http: false });
    for (let loss = 0; loss < 10; loss += 1) {
      one.lost();
      await pass(3000);
    }
    expect(done).not.toContain('give up');
    network.http = true;
    await pass(1000);
    one.welcomed();
    await pass(60_000);
    expect(done).not.toContain('give up');
  });

  it('ends with sockets that open and are closed again at once', async () => {
    const { one, done } = patience();
    for (let loss = 0; loss < 3; loss += 1) {
      one.welcomed();
      await pass(500);
      one.lost();
      await pass(500);
    }
    expect(done.at(-1)).toBe('give up');
  });

  it('begins anew after a socket that stayed', async () => {
    const { one, done } = patience();
    for (let loss = 0; loss < 10; loss += 1) {
      one.welcomed();
      await pass(6000);
      one.lost();
      await pass(200);
    }
    expect(done).toEqual([]);
  });

  it('asks nobody when it is over', async () => {
    const { one, done } = patience();
    one.lost();
    one.close();
    one.lost();
    one.welcomed();
    await pass(60_000);
    expect(done).toEqual([]);
  });
});
