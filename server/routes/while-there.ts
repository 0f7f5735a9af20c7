/** Answers that are long in coming, for clients that may not stay for them. */
import type { FastifyRequest } from 'fastify';

/** Waits for an answer, and calls it off when the client leaves. */
export const whileThere = async <Answer>(
  { raw }: FastifyRequest,
  answer: Promise<Answer>,
  cancel: () => void,
): Promise<Answer> => {
  raw.socket.once('close', cancel);
  try {
    return await answer;
  } finally {
    raw.socket.off('close', cancel);
  }
};
