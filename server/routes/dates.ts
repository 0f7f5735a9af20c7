/**
 * `Date` of every answer, by the clock that dates the media. Node would take the wall clock, and when
 * that is set, players who learn the time from `Date` would be off by the step.
 */
import type { FastifyInstance } from 'fastify';
import type { Now } from '../relay/session.ts';

declare module 'fastify' {
  interface FastifyReply {
    /** `Date` of an answer that leaves now, for routes that write theirs by themselves. */
    readonly dated: string;
  }
}

/** Dates every answer as it leaves: a reload may have waited for seconds. */
export const registerDates = (app: FastifyInstance, { now }: { now: Now }): void => {
  let written = { second: Number.NaN, text: '' };
  const dated = (): string => {
    const second = Math.floor(now() / 1000);
    if (second !== written.second)
      written = { second, text: new Date(second * 1000).toUTCString() };
    return written.text;
  };
  app.decorateReply('dated', { getter: dated });
  app.addHook('onSend', (_request, reply, payload, done) => {
    reply.header('date', dated());
    done(null, payload);
  });
};
