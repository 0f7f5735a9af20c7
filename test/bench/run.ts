/** `npm run bench [-- NAME]`: each benchmark in a process of its own, one after the other. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const known = readdirSync(folder)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''));

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(
    `There is no benchmark ${unknown.join(', ')}; there are ${known.join(', ')}.\n`,
  );
  process.exit(2);
}

const [cpu] = cpus();
const when = new Date().toISOString().slice(0, 10);
process.stdout.write(
  `${when}, ${cpus().length} cores of ${cpu?.model.trim()}, ${platform()} ${arch()}, Node ${process.version}\n`,
);
let failed = 0;
for (const name of asked.length > 0 ? asked : known) {
  process.stdout.write(`\n== ${name} ==\n`);
  const script = `import { run } from '${new URL(`${name}.bench.ts`, import.meta.url)}'; await run();`;
  const { status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: 'inherit',
  });
  if (status !== 0) failed += 1;
}
process.exitCode = failed > 0 ? 1 : 0;
