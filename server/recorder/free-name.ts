/** Names that no file has yet. */
import { stat } from 'node:fs/promises';

/** The given path, or where there is something already, it with a number. */
export const freeName = async (path: string): Promise<string> => {
  for (let number = 1; ; number += 1) {
    const tried = number === 1 ? path : `${path}-${number}`;
    const taken = await stat(tried).then(
      () => true,
      () => false,
    );
    if (!taken) return tried;
  }
};
