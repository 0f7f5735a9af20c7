import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { FileReads } from '../../../server/packager/file-reads.ts';
import { WindowFolder } from '../../../server/packager/window-folder.ts';
import { samples, utc } from '../../../shared/time.ts';
import { GRID, partBytes, temporaryFolder } from './disk-window.ts';

it('writes what the disk would not take of a programme with the next part of its sound', async () => {
  const { path: root, remove } = temporaryFolder();
  onTestFinished(remove);
  const said: ('fails' | 'well')[] = [];
  const alarm = (error: unknown): void => void said.push(error === null ? 'well' : 'fails');
  const folder = WindowFolder.create({ folder: root, reads: new FileReads(), alarm }, 0, {
    name: 'broadcast',
    secret: 'k3y',
    grid: GRID,
  });
  const store = folder.store('opus');
  await folder.flush();
  const path = join(root, readdirSync(root)[0] ?? '');
  const inTheWay = join(path, 'programme.json.new');
  mkdirSync(inTheWay);
  folder.keep({ ended: true });
  await expect.poll(() => said).toEqual(['fails']);
  rmdirSync(inTheWay);
  store.append(
    {
      sequence: 0,
      at: samples(0),
      utc: utc(0),
      discontinuity: false,
      discontinuities: 0,
      name: '0',
    },
    { at: samples(0), duration: GRID.part, bytes: partBytes(0, 0) },
  );
  await expect.poll(() => said).toEqual(['fails', 'well']);
  expect(readFileSync(join(path, 'programme.json'), 'utf8')).toContain('"ended":true');
  await folder.close();
});
