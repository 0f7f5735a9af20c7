/** The bar that stays in reach: the sentence about the uplink, Mute, Go live and End broadcast. */
import { html, svg, type TemplateResult } from 'lit';
import '../elements/hold-button.ts';
import '../elements/line-icon.ts';
import type { Texts } from '../locales/en.ts';
import { clockText } from '../locales/format.ts';
import type { BroadcastController } from '../state/broadcast-controller.ts';
import { uplinkReport } from '../state/uplink-report.ts';

const SHAPES = {
  ok: svg`<circle cx="6" cy="6" r="5" fill="currentColor"/>`,
  warn: svg`<path d="M6 1 11.5 11H.5z" fill="currentColor"/>`,
  idle: svg`<circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
};

export const pressBar = (desk: BroadcastController, t: Texts): TemplateResult =>
  html`<div class="bar">
    ${uplinkLine(desk, t)}
    <div class="presses">${muteButton(desk, t)}${mainButton(desk, t)}</div>
  </div>`;

const uplinkLine = (desk: BroadcastController, t: Texts): TemplateResult => {
  const { state } = desk;
  const report = uplinkReport(state, desk.known, t);
  const { tone } = report;
  const sentence =
    state.is === 'ready' && state.ended !== null
      ? t.endedAfter(clockText(state.ended / 1000))
      : report.sentence;
  return html`<p class="uplink num ${tone}">
    <svg viewBox="0 0 12 12" aria-hidden="true">${SHAPES[tone]}</svg><span>${sentence}</span>
  </p>`;
};

const muteButton = (desk: BroadcastController, t: Texts): TemplateResult =>
  html`<button
    class="button tall"
    type="button"
    aria-pressed=${desk.muted ? 'true' : 'false'}
    aria-keyshortcuts="Space"
    @click=${() => desk.mute(!desk.muted)}
  >
    <line-icon name=${desk.muted ? 'muted' : 'microphone'}></line-icon>${t.mute}
    <kbd aria-hidden="true">${t.space}</kbd>
  </button>`;

const mainButton = (desk: BroadcastController, t: Texts): TemplateResult => {
  const { state } = desk;
  if (state.is === 'live' || state.is === 'reconnecting')
    return state.ending
      ? html`<button class="button tall" type="button" disabled>${t.ending}</button>`
      : html`<hold-button
          word=${t.endBroadcast}
          question=${t.endQuestion}
          keep=${t.stayOnAir}
          hint=${t.holdHint}
          @confirm=${() => desk.end()}
        ></hold-button>`;
  if (state.is === 'connecting' || (state.is === 'arming' && state.goLive))
    return html`<button class="button tall" type="button" @click=${() => desk.end()}>
      ${t.cancel}
    </button>`;
  return html`<button class="button filled" type="button" @click=${() => desk.goLive()}>
    ${t.goLive}
  </button>`;
};
