import { afterEach, beforeEach, expect, it } from 'vitest';
import { platform } from '../../client/net/platform.ts';
import { hello, Publishing, until } from './publishing.ts';
import { quickPlatform } from './quick-platform.ts';

// The locks are the runtime's own, as they are in a browser.
let first: Publishing;
let second: Publishing;

beforeEach(async () => {
  first = await Publishing.open();
  second = await Publishing.open({ server: first.server });
  await first.start(quickPlatform());
  await first.hello(1);
  first.session.welcome(1, 0);
  await until(() => expect(first.of('on-air')).toHaveLength(1));
});

afterEach(async () => {
  await second.close();
  await first.close();
});

it('a second tab on the same channel says so, and leaves the first one alone', async () => {
  await second.start(quickPlatform());
  await until(() => expect(second.last).toMatchObject({ type: 'refused', why: 'other-tab' }));
  expect(first.server.sessions).toHaveLength(1);
  first.capture.record(3);
  await until(() => expect(first.server.sessions[0]?.frames).toHaveLength(3));
});

it('a second tab that takes over asks the server, which throws the first one out', async () => {
  await second.start(quickPlatform(), { takeover: true });
  await first.hello(2);
  expect(hello(first.server.newest)).toMatchObject({ takeover: true });
});

it('a tab that leaves makes room for the next one', async () => {
  first.leave();
  await until(() => expect(first.last).toEqual({ type: 'ended' }));
  await second.start(quickPlatform());
  await first.hello(2);
});

it('a name that is free is had at once, and given back', async () => {
  const release = await platform.claim('test', { steal: false });
  expect(release).not.toBeNull();
  expect(await platform.claim('test', { steal: false })).toBeNull();
  release?.();
  expect(await platform.claim('test', { steal: false })).not.toBeNull();
});
