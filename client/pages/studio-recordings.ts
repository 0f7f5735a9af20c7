/** The newest recordings: how long, how large, whether anything is missing, and where to get them. */
import { html, nothing, type TemplateResult } from 'lit';
import { utc } from '../../shared/time.ts';
import type { Texts } from '../locales/en.ts';
import { clockText, decimal, momentText } from '../locales/format.ts';
import type { ListedRecording, RecordingsController } from '../state/channel-status.ts';
import { recordingState } from '../state/recording-words.ts';

const MEGABYTE = 1e6;

/** The section of the studio; nothing before there is a recording. */
export const recordingsPanel = (
  { known }: RecordingsController,
  t: Texts,
): TemplateResult | typeof nothing => {
  const { items = [] } = known ?? {};
  if (items.length === 0) return nothing;
  return html`<section aria-labelledby="recordings">
    <h2 id="recordings">${t.recordings.title}</h2>
    <ul class="recordings">
      ${items.map((recording) => line(recording, t))}
    </ul>
  </section>`;
};

const line = (recording: ListedRecording, t: Texts): TemplateResult => {
  const { startedAt, duration, bytes, missing, opus, m4a } = recording;
  const begun = momentText(utc(Date.parse(startedAt)));
  const download = (url: string, kind: string): TemplateResult =>
    html`<a class="button" href=${url} download aria-label=${t.recordings.get(kind, begun)}>${kind}</a>`;
  return html`<li>
    <span class="num">${begun}</span>
    <span class="num">${clockText(duration)}</span>
    <span class="num quiet">${t.megabytes(decimal(bytes / MEGABYTE, 1))}</span>
    <span class="quiet small">${recordingState(recording, t)}</span>
    <span class="files">
      ${missing ? nothing : download(opus, 'Opus')}${m4a?.url === undefined ? nothing : download(m4a.url, 'M4A')}
    </span>
  </li>`;
};
