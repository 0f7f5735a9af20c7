/**
 * `npm run bench [-- NAME] [--minutes N]`: each benchmark in a process of its own, one after the
 * other. Those that last for minutes or an hour run only when they are named.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const LASTING = ['letter', 'samples', 'hour', 'abuse', 'offline'];

const folder = fileURLToPath(new URL('.', import.meta.url));
const known = readdirSync(folder)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''));

const refuse = (sentence: string): never => {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
};

const told = (): { minutes?: string | undefined; asked: string[] } => {
  try {
    const { values, positionals } = parseArgs({
      options: { minutes: { type: 'string' } },
      allowPositionals: true,
    });
    return { minutes: values.minutes, asked: positionals };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
};

const { minutes: written, asked } = told();
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0)
  refuse(`There is no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}.`);
const minutes = written === undefined ? undefined : Number(written);
if (minutes !== undefined && !(minutes > 0 && minutes <= 1440))
  refuse(`--minutes is more than 0 and at most 1440; ${written} is not.`);

const [cpu] = cpus();
const when = new Date().toISOString().slice(0, 10);
process.stdout.write(
  `${when}, ${cpus().length} cores of ${cpu?.model.trim()}, ${platform()} ${arch()}, Node ${process.version}\n`,
);
if (asked.length === 0)
  process.stdout.write(`Only when they are named: ${LASTING.join(', ')} (-- NAME --minutes N).\n`);
let failed = 0;
for (const name of asked.length > 0 ? asked : known.filter((one) => !LASTING.includes(one))) {
  process.stdout.write(`\n== ${name} ==\n`);
  const options = JSON.stringify({ minutes });
  const script = `import { run } from '${new URL(`${name}.bench.ts`, import.meta.url)}'; await run(${options});`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: 'inherit',
  });
  if (status !== 0) failed += 1;
}
process.exitCode = failed > 0 ? 1 : 0;
