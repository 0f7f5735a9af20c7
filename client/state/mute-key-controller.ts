/** The space bar mutes, wherever the focus is, except where a space is wanted. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { Scope } from '../scope.ts';

const takesSpace = (element: EventTarget | undefined): boolean => {
  if (!(element instanceof HTMLElement)) return false;
  if (element instanceof HTMLInputElement) return element.type !== 'range';
  if (element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement) return true;
  if (element.isContentEditable) return true;
  // A button reached by keyboard is pressed by the space bar; one left behind by the mouse is not.
  return element.matches('button, a, summary') && element.matches(':focus-visible');
};

/** Calls `toggle` at a press of the space bar while its host is in the document. */
export class MuteKeyController implements ReactiveController {
  readonly #toggle: () => void;
  #scope = new Scope();

  constructor(host: ReactiveControllerHost, toggle: () => void) {
    this.#toggle = toggle;
    host.addController(this);
  }

  hostConnected(): void {
    this.#scope = new Scope();
    this.#scope.on(document, 'keydown', (event) => this.#onKey(event as KeyboardEvent));
    this.#scope.on(document, 'keyup', (event) => this.#onKey(event as KeyboardEvent));
  }

  hostDisconnected(): void {
    this.#scope.dispose();
  }

  #onKey(event: KeyboardEvent): void {
    if (event.code !== 'Space' || event.ctrlKey || event.altKey || event.metaKey) return;
    if (takesSpace(event.composedPath()[0])) return;
    // The page must not scroll at the press, nor a button act at the release.
    event.preventDefault();
    if (event.type === 'keydown' && !event.repeat) this.#toggle();
  }
}
