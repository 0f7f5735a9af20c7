import { afterEach, expect, it } from 'vitest';
import { type LiveService, startLiveService } from '../helpers/live-service.ts';
import { RealPublisher } from '../helpers/real-publisher.ts';

/** Takes node-av from the service, as an installation without optional dependencies does. */
const WITHOUT = `import { registerHooks } from 'node:module';
registerHooks({ resolve(specifier, context, next) {
  if (specifier.startsWith('node-av')) throw new Error('It is not installed.');
  return next(specifier, context);
} });`;

let service: LiveService | undefined;
afterEach(() => service?.stop());

const warned = (text: string): number => text.split('no AAC encoder').length - 1;

it('a service without node-av says so once, at its start', async () => {
  let text = '';
  service = await startLiveService(
    { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(WITHOUT)}` },
    { heard: (part) => (text += part) },
  );
  expect(warned(text)).toBe(1);
  const { studio, port } = service;
  const door = {
    base: `http://127.0.0.1:${port}`,
    token: new URL(studio).hash.replace('#token=', ''),
  };
  const publisher = await RealPublisher.start(door);
  const { client } = publisher;
  const tally = await client.until(() =>
    client.texts.find((said) => said.type === 'tally' && said.aac === false),
  );
  expect(tally).toMatchObject({ aac: false });
  expect(warned(text)).toBe(1);
  publisher.vanish();
});
