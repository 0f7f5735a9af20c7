/**
 * The code of the recording worklet. It is sent to the audio thread as text, so it uses nothing
 * from outside itself.
 */

/** What the recorder posts about ten times a second. */
export type TapBlock = {
  /** The context's frame number of the first sample. */
  readonly frame: number;
  readonly samples: Float32Array<ArrayBuffer>;
  /**
   * The quantum of the block that was earliest against the wall clock, and the wall clock then, ms:
   * one point from which `wall - frame / rate` has its lower envelope.
   */
  readonly markFrame: number;
  readonly markWall: number;
  /** How much later than the mark the latest quantum of the block was, ms. */
  readonly spread: number;
  /** Quanta that the context skipped before the block. */
  readonly missed: number;
};

// The audio thread's own scope, as far as it is used; its types do not agree with the page's.
declare const currentFrame: number;
declare const sampleRate: number;
declare const registerProcessor: (name: string, processor: unknown) => void;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}

/** Runs on the audio thread: registers the processor `measuring-tap`. */
export const registerTapRecorder = (): void => {
  const BLOCK = 4800;
  class TapRecorder extends AudioWorkletProcessor {
    samples = new Float32Array(BLOCK + 128);
    filled = 0;
    frame = 0;
    next = -1;
    missed = 0;
    markFrame = 0;
    markWall = 0;
    earliest = Number.POSITIVE_INFINITY;
    latest = Number.NEGATIVE_INFINITY;

    process(inputs: Float32Array[][]): boolean {
      if (this.next !== -1 && currentFrame !== this.next) {
        this.flush();
        this.missed = Math.round((currentFrame - this.next) / 128);
      }
      const wall = Date.now();
      const offset = wall - (currentFrame / sampleRate) * 1000;
      if (offset < this.earliest) {
        this.earliest = offset;
        this.markFrame = currentFrame;
        this.markWall = wall;
      }
      if (offset > this.latest) this.latest = offset;
      if (this.filled === 0) this.frame = currentFrame;
      // An input to which nothing is connected has no channel: silence.
      const channel = inputs[0]?.[0];
      if (channel !== undefined) this.samples.set(channel, this.filled);
      this.filled += channel?.length ?? 128;
      this.next = this.frame + this.filled;
      if (this.filled >= BLOCK) this.flush();
      return true;
    }

    flush(): void {
      if (this.filled === 0) return;
      const samples = this.samples.slice(0, this.filled);
      const { frame, markFrame, markWall, missed } = this;
      const spread = this.latest - this.earliest;
      this.port.postMessage({ frame, samples, markFrame, markWall, spread, missed }, [
        samples.buffer,
      ]);
      this.samples.fill(0);
      this.filled = 0;
      this.missed = 0;
      this.earliest = Number.POSITIVE_INFINITY;
      this.latest = Number.NEGATIVE_INFINITY;
    }
  }
  registerProcessor('measuring-tap', TapRecorder);
};
