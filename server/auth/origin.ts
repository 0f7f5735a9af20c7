/** Which web sites may open a WebSocket: a browser sends cookies and the person's address along. */

/**
 * Says whether an upgrade with this Origin header is allowed: absent is a program and allowed; a
 * browser's must be the host it asked for, the public URL, or on the list.
 */
export const isOriginAllowed = (
  origin: string | undefined,
  { host, allowed }: { host: string; allowed: readonly string[] },
): boolean => {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const url = new URL(origin);
  return url.host === host.toLowerCase() || allowed.includes(url.origin);
};
