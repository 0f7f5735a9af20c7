/** Errors over HTTP: `application/problem+json` (RFC 9457) with a stable `code`. */
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';

/** An answer that is an error; thrown by routes, sent by the error handler. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds after which a new try makes sense. */
  readonly retryAfter: number | undefined;
  /** Further members of the document. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    sentence: string,
    retryAfter?: number,
    members: Readonly<Record<string, unknown>> = {},
  ) {
    super(sentence);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
    this.members = members;
  }
}

/** There is no sound under this address, now or any more. */
export const absent = (): Problem =>
  new Problem(404, 'nothing-to-play', 'There is nothing to play here now.', 1);

/** What was waited for did not come. */
export const tooLate = (): Problem =>
  new Problem(503, 'too-late', 'Nothing new came in three target durations.', 1);

const send = (reply: FastifyReply, problem: Problem): FastifyReply => {
  if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (problem.status === 426) reply.header('upgrade', 'websocket').header('connection', 'Upgrade');
  return reply
    .status(problem.status)
    .header('cache-control', problem.status === 404 ? 'max-age=1' : 'no-store')
    .type('application/problem+json')
    .send({
      type: 'about:blank',
      status: problem.status,
      code: problem.code,
      detail: problem.message,
      ...problem.members,
    });
};

const fromFastify = (error: FastifyError): Problem => {
  const status = error.statusCode ?? 500;
  if (status >= 500) return new Problem(500, 'internal', 'The server failed at this request.');
  if (status === 413)
    return new Problem(413, 'too-large', 'The request is larger than is allowed.');
  if (status === 415) return new Problem(415, 'media-type', 'The body must be application/json.');
  if (status === 404) return new Problem(404, 'not-found', 'There is nothing at this address.');
  return new Problem(status, 'bad-request', 'The request is not as the API describes it.');
};

/** Makes every error of an app a problem document without stack or path. */
export const registerProblems = (app: FastifyInstance): void => {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof Problem) return send(reply, error);
    const problem = fromFastify(error);
    if (problem.status >= 500) request.log.error(error, 'A request failed.');
    return send(reply, problem);
  });
  app.setNotFoundHandler((_request, reply) =>
    send(reply, new Problem(404, 'not-found', 'There is nothing at this address.')),
  );
};
