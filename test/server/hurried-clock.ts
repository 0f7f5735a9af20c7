/** A recording service whose clock can be set on, so that minutes are published in seconds. */
import { type Utc, utc } from '../../shared/time.ts';
import { startService, type TestClient, type TestService, testFrame } from '../helpers/service.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sequences of the frames that a client has got. */
export const sequences = ({ frames }: TestClient): number[] =>
  frames.map((frame) => frame.readUInt32BE(4));

/** So many numbers from one on. */
export const run = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, n) => from + n);

/** The service's clock. */
export class HurriedClock {
  /** How far it is ahead of the machine's, ms. */
  ahead = 0;

  start(): Promise<TestService> {
    return startService({ record: true, recordMinFree: 0 }, { now: () => this.now });
  }

  get now(): Utc {
    return utc(performance.timeOrigin + performance.now() + this.ahead);
  }

  /** Publishes so many frames as fast as the rule of 5 s allows, which the clock is set on for. */
  async publish(
    { client, epoch }: { client: TestClient; epoch: number },
    { from = 0, count }: { from?: number; count: number },
  ): Promise<void> {
    for (let sequence = from; sequence < from + count; sequence += 1) {
      if (sequence % 200 === 0) {
        await sleep(5);
        this.ahead += 4000;
      }
      client.send(testFrame(sequence, { epoch }));
    }
    const last = from + count - 1;
    await client.until(
      () => client.texts.some(({ type, sequence }) => type === 'ack' && sequence === last),
      30_000,
    );
  }
}
