/** Why the server will not have us, in one table: by the close codes after which nobody retries. */
import { CLOSE } from '../../shared/codes.ts';
import type { Refusal } from './messages.ts';

/** Close code to reason; the sentence stands in for a close reason that the server left empty. */
export const REFUSALS: ReadonlyMap<number, { readonly why: Refusal; readonly sentence: string }> =
  new Map([
    [CLOSE.badMessage, { why: 'protocol', sentence: 'The server did not understand this client.' }],
    [CLOSE.tooLarge, { why: 'protocol', sentence: 'The server found a frame too large.' }],
    [CLOSE.refused, { why: 'token', sentence: 'The server refused this session.' }],
    [CLOSE.noChannel, { why: 'channel', sentence: 'There is no such channel.' }],
    [CLOSE.taken, { why: 'taken', sentence: 'Somebody else is on the air on this channel.' }],
    [CLOSE.deleted, { why: 'deleted', sentence: 'The channel has been deleted.' }],
  ]);
