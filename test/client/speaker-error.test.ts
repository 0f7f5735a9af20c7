import { afterEach, describe, expect, it, vi } from 'vitest';
import { asSpeakerError, lackOfSpeaker, SpeakerError } from '../../client/audio/speaker-error.ts';
import { en } from '../../client/locales/en.ts';
import { isOfSpeaker, mayPass } from '../../client/state/quality.ts';

afterEach(() => vi.unstubAllGlobals());

/** What a current browser has. */
const stubBrowser = (without: string[] = []): void => {
  vi.stubGlobal('isSecureContext', !without.includes('isSecureContext'));
  for (const name of ['AudioContext', 'AudioWorkletNode', 'Worker', 'WebSocket', 'WebAssembly'])
    vi.stubGlobal(name, without.includes(name) ? undefined : class {});
};

describe('why frames cannot be played', () => {
  it.each([
    [[], null],
    [['isSecureContext', 'AudioWorkletNode'], 'insecure'],
    [['AudioWorkletNode'], 'browser'],
    [['AudioContext'], 'browser'],
    [['WebAssembly'], 'browser'],
    [['Worker'], 'browser'],
  ])('without %j is %s', (without, lack) => {
    stubBrowser(without);
    expect(lackOfSpeaker()).toBe(lack);
  });

  it.each([
    ['fetch', new TypeError('Failed to fetch'), 'files'],
    ['addModule', new DOMException('Unable to load a worklet', 'AbortError'), 'files'],
    ['the context', new DOMException('no device', 'NotSupportedError'), 'device'],
    ['nobody', 'nonsense', 'device'],
  ])('is named by what %s threw', (_who, thrown, code) => {
    expect(asSpeakerError(thrown).code).toBe(code);
  });

  it('is told once, and has a sentence whether HLS can stand in or not', () => {
    const error = new SpeakerError('files', 'decoder.wasm: HTTP 503');
    expect(asSpeakerError(error)).toBe(error);
    for (const code of ['insecure', 'browser', 'files', 'device'] as const) {
      expect(isOfSpeaker(code)).toBe(true);
      expect(en.obstacles[code]).toMatch(/HLS.*\./);
      expect(en.failures[code]).toMatch(/\.$/);
    }
    expect(['slow', 'unreachable', 'files', 'device'].every((o) => mayPass(o as 'slow'))).toBe(
      true,
    );
    expect([mayPass('insecure'), mayPass('browser'), mayPass('asleep'), mayPass(null)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
