/** A listener in the past that asks for it faster than it was said. */
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startListener, startPublisher, type TestService, testFrame } from '../helpers/service.ts';
import { HurriedClock, run, sequences } from './hurried-clock.ts';

let service: TestService;
let clock: HurriedClock;
beforeEach(async () => {
  clock = new HurriedClock();
  service = await clock.start();
});
afterEach(() => service.stop());

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a listener in the past', () => {
  it('catches up at the rate it asks for, is told so before the first such frame, and is live at the end', async () => {
    const publisher = await startPublisher(service);
    const { client, epoch } = publisher;
    await clock.publish(publisher, { count: 700 });
    // From here on the broadcast goes on in real time.
    let sequence = 700;
    const begun = performance.now();
    const speaking = setInterval(() => {
      for (; sequence < 700 + (performance.now() - begun) / 20; sequence += 1)
        client.send(testFrame(sequence, { epoch }));
    }, 5);
    onTestFinished(() => clearInterval(speaking));
    const listener = await startListener(service, { hello: { behind: 2000 } });
    await listener.until(() => listener.frames.length > 20);
    listener.send({ type: 'rate', rate: 1.5 });
    expect(await listener.text('rate')).toEqual({ type: 'rate', rate: 1.5 });
    const [from, at] = [listener.frames.length, performance.now()];
    await sleep(2000);
    const reached = ((listener.frames.length - from) * 20) / (performance.now() - at);
    // Counted as it arrives, which on a busy machine is late by up to half a second.
    expect(Math.abs(reached - 1.5)).toBeLessThan(0.4);
    await listener.until(() => listener.texts.some(({ type }) => type === 'place'));
    const took = performance.now() - at;
    expect(took).toBeGreaterThan(2500);
    expect(took).toBeLessThan(6000);
    const heard = listener.texts.filter(({ type }) =>
      ['place', 'state', 'rate'].includes(`${type}`),
    );
    expect(heard.slice(-2)).toEqual([
      { type: 'place', start: null, live: null, shifted: false },
      { type: 'state', is: 'live' },
    ]);
    // Nothing was left out on the way, and live is what is said now.
    expect(sequences(listener).at(-1)).toBeGreaterThan(sequence - 50);
    clearInterval(speaking);
    await listener.until(() => sequences(listener).at(-1) === sequence - 1);
    const now = sequences(listener);
    expect(now).toEqual(run(now[0] as number, now.length));
    // A wish outlives a seek in the past, and no seek to live.
    listener.texts.length = 0;
    listener.send({ type: 'seek', behind: 5000 });
    await listener.text('place');
    listener.send({ type: 'rate', rate: 1.25 });
    await listener.text('rate');
    listener.texts.length = 0;
    listener.send({ type: 'seek', behind: 8000 });
    await listener.text('rate');
    listener.send({ type: 'seek', behind: 0 });
    await listener.until(() => listener.texts.some(({ shifted }) => shifted === false));
    listener.texts.length = 0;
    listener.send({ type: 'seek', behind: 8000 });
    await listener.until(() => listener.frames.length > now.length + 60);
    expect(listener.texts.some(({ type }) => type === 'rate')).toBe(false);
  }, 20_000);

  it('that cannot take it so fast hears on as it was said, and is told', async () => {
    const publisher = await startPublisher(service);
    await clock.publish(publisher, { count: 1200 });
    const listener = await startListener(service, { hello: { behind: 20_000 } });
    await listener.until(() => listener.frames.length > 0);
    listener.send({ type: 'rate', rate: 1.25 });
    await listener.text('rate');
    listener.texts.length = 0;
    // Seconds in which the server could send it nothing.
    clock.ahead += 3000;
    expect(await listener.text('rate')).toEqual({ type: 'rate', rate: 1 });
  });

  it.each([0.99, 0, -1, 1.51, 1e9, '1.25', null])(
    'that asks for a rate of %j is refused',
    async (rate) => {
      const listener = await startListener(service);
      listener.send({ type: 'rate', rate });
      expect((await listener.ended()).code).toBe(4400);
    },
  );
});
