import type { Program } from './session';

/** Programs by what they are compiled for. Where there are too many, the one that was not used for the longest time is freed. */
export class ProgramCache {
  private readonly programs = new Map<string, Program>();

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.programs.size;
  }

  /** The program of `key`, compiled where it is not there. No other of these programs may be running. */
  get(key: string, compile: () => Program): Program {
    const program = this.programs.get(key) ?? compile();
    // The last one in the map is the last one used.
    this.programs.delete(key);
    this.programs.set(key, program);
    for (const [oldest, unused] of this.programs) {
      if (this.programs.size <= this.limit) break;
      this.programs.delete(oldest);
      unused.dispose();
    }
    return program;
  }
}
