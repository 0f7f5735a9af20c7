/**
 * `Date` of every answer, by the clock that dates the media. Node would take the wall clock, and when
 * that is set, players who learn the time from `Date` would be off by the step.
 */
import type { FastifyInstance } from 'fastify';
import type { Now } from '../relay/session.ts';

/** Dates every answer, also those that a route writes by itself. */
export const registerDates = (app: FastifyInstance, { now }: { now: Now }): void => {
  let written = { second: Number.NaN, text: '' };
  app.addHook('onRequest', (_request, reply, done) => {
    const second = Math.floor(now() / 1000);
    if (second !== written.second)
      written = { second, text: new Date(second * 1000).toUTCString() };
    reply.raw.setHeader('date', written.text);
    done();
  });
};
