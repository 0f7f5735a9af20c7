/** The bearer token of a request, judged: who is asking, or a 401 or 429. */
import type { FastifyRequest } from 'fastify';
import { sameSecret } from '../auth/admin.ts';
import type { Guesses } from '../auth/guesses.ts';
import type { Principal } from '../auth/tickets.ts';
import type { Now } from '../relay/session.ts';
import { Problem } from './problem.ts';

/** Says who is asking. @throws {Problem} 401 without or with a wrong token, 429 after too many. */
export type Authorize = (request: FastifyRequest) => Principal;

/** Makes the judge for one admin token. */
export const authorizer =
  (token: string, { guesses, now }: { guesses: Guesses; now: Now }): Authorize =>
  (request) => {
    const [scheme, shown] = (request.headers.authorization ?? '').split(' ');
    if (scheme?.toLowerCase() !== 'bearer' || shown === undefined)
      throw new Problem(401, 'token-missing', 'Send the token as Authorization: Bearer.');
    if (sameSecret(shown, token)) return 'admin';
    const wait = guesses.wrong(request.ip, now());
    if (wait > 0)
      throw new Problem(429, 'too-many-guesses', `Too many wrong tokens; wait ${wait} s.`, wait);
    throw new Problem(401, 'token-wrong', 'This token opens nothing here.');
  };
