/** The studio's sound: which microphone, how it is treated, how loud. */
import { html, type TemplateResult } from 'lit';
import '../elements/segmented-choice.ts';
import { type MicrophoneMode, MODES } from '../audio/microphone-mode.ts';
import type { Texts } from '../locales/en.ts';
import type { BroadcastController } from '../state/broadcast-controller.ts';
import { signed } from '../state/meter-scale.ts';

const ORDER: readonly MicrophoneMode[] = ['voice', 'music', 'raw'];

export const soundPanel = (desk: BroadcastController, t: Texts): TemplateResult => {
  const kilobits = (MODES[desk.mode].rendition.bitrate / 1000).toFixed(0);
  return html`<section aria-labelledby="sound">
    <h2 id="sound">${t.sound}</h2>
    ${microphoneField(desk, t)}
    <segmented-choice
      label=${t.mode}
      value=${desk.mode}
      .choices=${ORDER.map((value) => ({ value, word: t.modes[value] }))}
      @choose=${(event: CustomEvent<string>) => desk.chooseMode(event.detail)}
    ></segmented-choice>
    <p class="quiet small">
      ${t.modeSentences[desk.mode](kilobits)} ${desk.modeLater ? t.modeLater : ''}
    </p>
    ${gainField(desk, t)}
  </section>`;
};

const microphoneField = (desk: BroadcastController, t: Texts): TemplateResult => {
  const { microphones, deviceId } = desk;
  const listed = microphones.some((microphone) => microphone.deviceId === deviceId);
  const choose = (event: Event): void =>
    desk.chooseMicrophone((event.target as HTMLSelectElement).value);
  return html`<div class="field">
    <label for="microphone">${t.microphone}</label>
    <select id="microphone" @change=${choose}>
      ${listed ? '' : html`<option value="" selected>${t.microphoneDefault}</option>`}
      ${microphones.map(
        ({ deviceId: id, label }, index) =>
          html`<option value=${id} .selected=${id === deviceId}>
            ${label || t.microphoneNumbered(index + 1)}
          </option>`,
      )}
    </select>
  </div>`;
};

const gainField = (desk: BroadcastController, t: Texts): TemplateResult => {
  const move = (event: Event): void =>
    desk.setGain(Number((event.target as HTMLInputElement).value));
  const text = t.decibels(desk.gain > 0 ? `+${desk.gain}` : signed(desk.gain, 0));
  return html`<div class="gain">
    <label class="quiet small" for="gain">${t.gain}</label>
    <input
      id="gain"
      type="range"
      style="--filled: ${(((desk.gain + 12) / 36) * 100).toFixed(0)}%"
      min="-12"
      max="24"
      step="1"
      aria-valuetext=${text}
      .value=${String(desk.gain)}
      @input=${move}
    />
    <span class="num small" aria-hidden="true">${text}</span>
  </div>`;
};
