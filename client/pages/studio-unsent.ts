/** What happened to the uplink, and what this browser still holds of broadcasts. */
import { html, nothing, svg, type TemplateResult } from 'lit';
import '../elements/notice-bar.ts';
import '../elements/unsent-part.ts';
import type { Texts } from '../locales/en.ts';
import { decimal, momentText, spanText } from '../locales/format.ts';
import type { UnsentPart } from '../net/messages.ts';
import type { BroadcastController } from '../state/broadcast-controller.ts';
import { returnedReport } from '../state/returned-words.ts';
import type { UnsentController } from '../state/unsent-controller.ts';

const SHAPES = {
  ok: svg`<circle cx="6" cy="6" r="5" fill="currentColor"/>`,
  warn: svg`<path d="M6 1 11.5 11H.5z" fill="currentColor"/>`,
};

/** The lines between the head of the studio and its levels; the status is always there to speak. */
export const unsentLines = (
  desk: BroadcastController,
  unsent: UnsentController,
  t: Texts,
): TemplateResult => html`<div class="unsent">
  ${returnedLine(desk, t)}${uploadLine(unsent, t)}${partLines(unsent, t)}${troubleLine(desk, unsent, t)}
</div>`;

const returnedLine = (desk: BroadcastController, t: Texts): TemplateResult => {
  const { news, frame } = desk;
  const { returned } = news;
  const report = returned === null ? null : returnedReport(returned, frame, t);
  return html`<div role="status">
    ${
      report === null
        ? nothing
        : html`<p class="uplink num ${report.tone}">
            <svg viewBox="0 0 12 12" aria-hidden="true">${SHAPES[report.tone]}</svg
            ><span>${report.sentence}</span>
          </p>`
    }
  </div>`;
};

const uploadLine = ({ spool }: UnsentController, t: Texts): TemplateResult | typeof nothing => {
  const upload = spool?.upload ?? null;
  if (upload === null || upload.whole === 0) return nothing;
  const share = Math.floor((100 * upload.sent) / upload.whole);
  return html`<label class="uploading num">
    <span>${t.uploading(decimal(share, 0))}</span>
    <progress max="100" value=${share}></progress>
  </label>`;
};

/** Parts that wait for somebody: left by an earlier visit, not readable, or not taken by the server. */
const partLines = (unsent: UnsentController, t: Texts): TemplateResult[] => {
  const { parts = [], trouble = null } = unsent.spool ?? {};
  const stuck = trouble === 'refused' || trouble === 'token' || trouble === 'failed';
  return parts
    .filter(({ recording }) => stuck || !unsent.isWanted(recording))
    .map((part) => partLine(part, unsent, t));
};

const partLine = (part: UnsentPart, unsent: UnsentController, t: Texts): TemplateResult => {
  const span = spanText(part.duration, t);
  const { recording } = part;
  return html`<unsent-part
    sentence=${t.unsent(span, momentText(part.begun))}
    question=${t.deleteQuestion(span)}
    upload=${t.upload}
    discard=${t.delete}
    keep=${t.keep}
    @upload=${() => unsent.upload(recording)}
    @discard=${() => unsent.discard(recording)}
  ></unsent-part>`;
};

const troubleLine = (
  desk: BroadcastController,
  { spool }: UnsentController,
  t: Texts,
): TemplateResult | typeof nothing => {
  const trouble = spool?.trouble ?? null;
  if (trouble === null) return nothing;
  // That nothing could be kept matters only while something would have to be.
  if (trouble === 'unsupported' && desk.state.is !== 'reconnecting') return nothing;
  return html`<notice-bar sentence=${t.spoolTrouble[trouble]}></notice-bar>`;
};
