/** The spool without its two minutes of waiting. */
import type { NetworkCommand } from '../../client/net/messages.ts';

/** Runs in the page: a replay of 1.5 s, and private files from half a second on. */
export const shortenReplay = (): void => {
  const post = Worker.prototype.postMessage as (this: Worker, ...given: unknown[]) => void;
  Worker.prototype.postMessage = function (this: Worker, ...given: unknown[]) {
    const command = given[0] as NetworkCommand;
    const replay = { kept: 1500, spoolAfter: 500 };
    post.call(this, command.type === 'publish' ? { ...command, replay } : command, given[1] ?? []);
  };
};
