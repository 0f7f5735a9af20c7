/** A listener behind 50 ms one way with bursts of loss, for two minutes in Chromium. */
import {
  describeFigures,
  goLiveAndListen,
  measureBroadcast,
  openBroadcast,
} from '../helpers/broadcast-run.ts';
import { bothWays, startChaosProxy } from '../helpers/chaos-proxy.ts';
import { startLiveService } from '../helpers/live-service.ts';
import { NETWORK } from '../helpers/network-profile.ts';
import { judge } from './verdict.ts';

const SECONDS = 120;

export const run = async (): Promise<void> => {
  const service = await startLiveService();
  const proxy = await startChaosProxy(service.port, { seed: 11 });
  const { listen } = service.through(proxy.port);
  const pages = await openBroadcast({ studio: service.studio, listen });
  proxy.shape(bothWays(NETWORK.bursty));
  await goLiveAndListen(pages);
  await pages.listener.waitForTimeout(SECONDS * 1000);
  const figures = await measureBroadcast(pages, { concealedFrom: 10_000 });
  process.stdout.write(`${describeFigures(figures)}\n`);
  judge([{ name: 'concealed after 10 s', value: figures.concealedShare, most: 1, unit: '%' }]);
  await pages.close();
  await proxy.close();
  await service.stop();
};
