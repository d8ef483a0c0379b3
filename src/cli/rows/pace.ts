/** How fast rows are continued. */
import type { GenerateOptions, Generation } from '../../engine/types';
import type { Translate } from '../../text/translate';

export class Pace {
  private tokens = 0;
  private seconds = 0;
  private firstToken: number | null = null;

  /** Does the work with tasks whose tokens are counted. */
  async of<Task extends { options: GenerateOptions }>(
    tasks: readonly Task[],
    work: (tasks: readonly Task[]) => Promise<Generation[]>,
  ): Promise<Generation[]> {
    const began = performance.now();
    const soFar = (): number => (performance.now() - began) / 1000;
    const onToken = (): void => {
      this.firstToken ??= soFar();
    };
    const timed = tasks.map((task) => ({ ...task, options: { ...task.options, onToken } }));
    const generations = await work(timed);
    this.seconds += soFar();
    for (const { outputIds } of generations) this.tokens += outputIds.length;
    return generations;
  }

  /** Tokens per second, prompts included, and the seconds until the first token; null where none was made. */
  describe(t: Translate): string | null {
    if (this.firstToken === null || this.seconds === 0) return null;
    return t('{count} tokens, {rate} tokens/s, the first after {seconds} s', {
      count: this.tokens,
      rate: (this.tokens / this.seconds).toFixed(1),
      seconds: this.firstToken.toFixed(2),
    });
  }
}
