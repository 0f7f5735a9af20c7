/** One media playlist followed by blocking reloads, every answer given to all judges. */
import hlsParser from 'hls-parser';
import { Parser } from 'm3u8-parser';
import type { Expectation, Finding } from './hls-linter.ts';
import { lintDelta, ReloadLinter } from './hls-sequence.ts';
import { listed, type MediaText, mediaTextOf, tagValue } from './hls-text.ts';
import type { Judgement } from './judgement.ts';

hlsParser.setOptions({ strictMode: true });

const PATIENCE = 20_000;
const AGAIN_AFTER = 200;
/** A playlist that is not found for so long will not come back. */
const GIVE_UP_AFTER = 10_000;

const sleep = (span: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, span));

/** Findings as complaints. */
export const sentencesOf = (findings: readonly Finding[]): string[] =>
  findings.map(({ rule, sentence }) => `${rule}: ${sentence}`);

/** Lets hls-parser (strict) and m3u8-parser read a playlist. */
export const judgeWithParsers = (judgement: Judgement, url: string, text: string): void => {
  judgement.judge('hls-parser, strict', url, () => {
    hlsParser.parse(text);
    return [];
  });
  judgement.judge('m3u8-parser', url, () => {
    const complaints: string[] = [];
    const parser = new Parser();
    for (const event of ['warn', 'error'] as const)
      parser.on(event, (problem) => complaints.push(`${event} ${JSON.stringify(problem)}`));
    parser.push(text);
    parser.end();
    return complaints;
  });
};

/** What the next reload asks for: the part after the newest, or the next whole segment. */
export const directivesAfter = (text: MediaText, lowLatency: boolean): string => {
  const last = listed(text).at(-1);
  if (last === undefined) return '';
  const open = last.uri === null;
  if (lowLatency)
    return open
      ? `_HLS_msn=${last.sequence}&_HLS_part=${last.parts.length}`
      : `_HLS_msn=${last.sequence + 1}&_HLS_part=0`;
  return `_HLS_msn=${open ? last.sequence : last.sequence + 1}`;
};

const versionOf = (text: string): string => {
  const media = mediaTextOf(text);
  const last = listed(media).at(-1);
  const first = tagValue(media.tags, 'EXT-X-MEDIA-SEQUENCE');
  return `${first} ${last?.sequence} ${last?.parts.length} ${last?.uri} ${media.ended}`;
};

/** What one playlist needs to be followed. */
export type LetterPlaylistOptions = {
  readonly judgement: Judgement;
  readonly expectation: Expectation;
  readonly excused: () => boolean;
  readonly stopped: () => boolean;
  readonly took: (url: string, text: MediaText) => void;
};

type Answer = { readonly status: number; readonly text: string };

/** Why a playlist is no longer followed. */
export type Followed = 'ended' | 'vanished' | 'stopped';

/** Follows a playlist until it ends, is no more, or everything is stopped. */
export const followPlaylist = async (
  url: string,
  { judgement, expectation, excused, stopped, took }: LetterPlaylistOptions,
): Promise<Followed> => {
  const linter = new ReloadLinter(expectation);
  const lowLatency = expectation.lowLatency === true;
  let directives = '';
  let missingSince: number | undefined;
  const ask = async (extra: string): Promise<Answer | undefined> => {
    const before = excused();
    const query = [directives, extra].filter((part) => part !== '').join('&');
    try {
      const answer = await fetch(`${url}${query && '?'}${query}`, {
        signal: AbortSignal.timeout(PATIENCE),
      });
      const told = { status: answer.status, text: await answer.text() };
      const complaints = told.status === 200 ? [] : [`Status ${told.status}: ${told.text}`];
      // That it is still missing is the same complaint.
      const isNews = told.status === 200 || (missingSince === undefined && !(before || excused()));
      if (isNews) judgement.note('answered: media playlist', `${url}?${query}`, { complaints });
      return told;
    } catch (error) {
      if (!stopped() && !(before || excused()))
        judgement.note('answered: media playlist', url, { complaints: [String(error)] });
      return undefined;
    }
  };
  while (!stopped()) {
    const [full, delta] = await Promise.all([ask(''), ask('_HLS_skip=YES')]);
    if (full?.status !== 200) {
      if (full?.status === 404 && !excused()) missingSince ??= performance.now();
      if (missingSince !== undefined && performance.now() - missingSince > GIVE_UP_AFTER)
        return 'vanished';
      directives = '';
      await sleep(AGAIN_AFTER);
      continue;
    }
    missingSince = undefined;
    judgeWithParsers(judgement, url, full.text);
    judgement.judge('our HLS linter, over reloads', url, () => sentencesOf(linter.next(full.text)));
    if (delta?.status === 200) {
      judgeWithParsers(judgement, `${url} (delta)`, delta.text);
      if (delta.text.includes('#EXT-X-SKIP') && versionOf(delta.text) === versionOf(full.text))
        judgement.judge('our HLS linter, delta updates', url, () =>
          sentencesOf(lintDelta(full.text, delta.text)),
        );
    }
    const media = mediaTextOf(full.text);
    took(url, media);
    if (media.ended) return 'ended';
    directives = directivesAfter(media, lowLatency);
  }
  return 'stopped';
};
