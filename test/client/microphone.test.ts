import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { asMicrophoneError, MicrophoneError } from '../../client/audio/microphone-error.ts';
import { MODES, trackConstraints } from '../../client/audio/microphone-mode.ts';
import { renditionSchema } from '../../shared/catalog.ts';

describe('the modes of a microphone', () => {
  it('announce renditions that a server takes', () => {
    for (const { rendition } of Object.values(MODES))
      expect(v.parse(renditionSchema, rendition)).toEqual(rendition);
    expect(MODES.voice.rendition).toMatchObject({ channels: 1, bitrate: 64_000, fec: true });
    expect(MODES.music.rendition).toMatchObject({ channels: 2, bitrate: 128_000, fec: false });
  });

  it('let the browser work on the sound in Voice only', () => {
    for (const mode of ['voice', 'music', 'raw'] as const) {
      const { echoCancellation, noiseSuppression, autoGainControl } = trackConstraints(mode);
      expect([echoCancellation, noiseSuppression, autoGainControl]).toEqual(
        new Array(3).fill(mode === 'voice'),
      );
    }
  });

  it('ask for exactly the device that was chosen, and for any when none was', () => {
    expect(trackConstraints('music', 'abc').deviceId).toEqual({ exact: 'abc' });
    expect(trackConstraints('music')).not.toHaveProperty('deviceId');
  });
});

describe('why there is no microphone', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['NotFoundError', 'none'],
    ['OverconstrainedError', 'none'],
    ['NotReadableError', 'busy'],
    ['SyntaxError', 'unknown'],
  ])('%s means %s', (name, code) => {
    const error = asMicrophoneError(new DOMException('technical', name));
    expect(error.code).toBe(code);
    expect(error.message).toBe(`no microphone: ${code} (technical)`);
  });

  it('is told once: an error that says it already stays as it is', () => {
    const error = new MicrophoneError('insecure');
    expect(asMicrophoneError(error)).toBe(error);
    expect(asMicrophoneError('nonsense').code).toBe('unknown');
  });
});
