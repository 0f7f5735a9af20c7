import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'skywave-programs-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** With a PATH that has nothing but `folder`, not even apt-get: nothing can be installed. */
const check = (variables: Record<string, string> = {}) =>
  spawnSync(process.execPath, [fileURLToPath(new URL('programs.ts', import.meta.url))], {
    encoding: 'utf8',
    env: { PATH: folder, ...variables },
  });

describe('the check for programs', () => {
  it('names what is missing and the command that installs it, and fails', () => {
    const { status, stderr } = check();
    expect(status).toBe(1);
    expect(stderr).toContain(
      'The tests need chromium, ffmpeg, mpv, gst-launch-1.0, cvlc and faketime: run',
    );
    expect(stderr).toContain(
      '`apt-get install -y --no-install-recommends chromium ffmpeg mpv gstreamer1.0-tools ',
    );
    expect(stderr).toContain(' vlc-bin vlc-plugin-base faketime` as root');
  });

  it('is content and silent with the others on the PATH and a browser that CHROMIUM names', () => {
    const needed = ['ffmpeg', 'mpv', 'gst-launch-1.0', 'cvlc', 'faketime'];
    for (const name of [...needed, 'nginx', 'varnishd', 'openssl', 'opusinfo'])
      symlinkSync(process.execPath, join(folder, name));
    const { status, stdout, stderr } = check({ CHROMIUM: process.execPath });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(check({ CHROMIUM: join(folder, 'none') }).stderr).toContain('The tests need chromium:');
  });
});
