/**
 * The thread that owns the socket, so that a page that is busy or hidden delays no frame. The
 * first command makes the one session of this worker; a new session is a new worker.
 */
import { Downlink } from './downlink.ts';
import type { DownlinkEvent, NetworkCommand, UplinkEvent } from './messages.ts';
import { platform } from './platform.ts';
import { Salvage } from './salvage.ts';
import { Uplink } from './uplink.ts';

let session: Uplink | Downlink | Salvage | null = null;

const post = (event: UplinkEvent | DownlinkEvent): void => self.postMessage(event);

const begin = <S extends Uplink | Downlink | Salvage>(begun: S): S => {
  begun.start();
  return begun;
};

self.addEventListener('message', ({ data: command }: MessageEvent<NetworkCommand>) => {
  switch (command.type) {
    case 'publish':
      session ??= begin(new Uplink(command, { post, platform }));
      break;
    case 'listen':
      session ??= begin(new Downlink(command, { post, platform }));
      break;
    case 'seek':
      if (session instanceof Downlink) session.seek(command.behind);
      break;
    case 'rate':
      if (session instanceof Downlink) session.setRate(command.rate);
      break;
    case 'salvage':
      session ??= begin(new Salvage(command, { post, platform }));
      break;
    case 'upload':
      if (session !== null && !(session instanceof Downlink)) session.desk.ask(command.recordings);
      break;
    case 'discard':
      if (session !== null && !(session instanceof Downlink))
        session.desk.discard(command.recording);
      break;
    case 'select':
      if (session instanceof Downlink) session.select(command.rendition);
      break;
    case 'hurry':
      session?.hurry();
      break;
    case 'output':
      if (session instanceof Downlink) session.outputLatency = command.latency;
      break;
    case 'leave':
      session?.leave();
      break;
  }
});

self.addEventListener('online', () => session?.hurry());
