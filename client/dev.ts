/** `npm run dev`: the service, restarted when a file changes, and the pages with hot reload. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));

const service = spawn(process.execPath, ['--watch', 'server/main.ts'], {
  cwd: root,
  stdio: 'inherit',
});
const pages = await createServer({
  configFile: fileURLToPath(new URL('vite.config.ts', import.meta.url)),
});
await pages.listen();
pages.printUrls();

const end = (): void => {
  service.kill();
  void pages.close().then(() => process.exit(0));
};
process.once('SIGINT', end);
process.once('SIGTERM', end);
