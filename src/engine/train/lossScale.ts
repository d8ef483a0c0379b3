/**
 * Dynamic scale of the loss, so that small gradients survive float16 (Micikevicius et al. 2017, https://arxiv.org/abs/1710.03740).
 * The numbers are those of torch.amp.GradScaler.
 */

export const INITIAL_SCALE = 65536;
const GROWTH = 2;
const BACKOFF = 0.5;
const GROWTH_INTERVAL = 2000;

/** What a checkpoint keeps of it. */
export interface LossScaleState {
  scale: number;
  /** Updates since the scale last changed. */
  clean: number;
}

export class LossScale {
  /** Goes on from a checkpoint's state, or starts anew. */
  constructor(
    private state: LossScaleState = { scale: INITIAL_SCALE, clean: 0 },
    private readonly growthInterval = GROWTH_INTERVAL,
  ) {}

  get value(): number {
    return this.state.scale;
  }

  /** For the checkpoint. */
  get saved(): LossScaleState {
    return { ...this.state };
  }

  /** After an update with finite gradients. */
  succeeded(): void {
    const { scale, clean } = this.state;
    this.state =
      clean + 1 === this.growthInterval ? { scale: scale * GROWTH, clean: 0 } : { scale, clean: clean + 1 };
  }

  /**
   * After gradients that were not finite. False: the scale has fallen below 1, so that it is not what makes them overflow.
   */
  overflowed(): boolean {
    this.state = { scale: this.state.scale * BACKOFF, clean: 0 };
    return this.state.scale >= 1;
  }
}
