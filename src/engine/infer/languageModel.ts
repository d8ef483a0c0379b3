/** A loaded model that scores and generates: what the command line and the chat use. */
import { GlmError } from '../../protocol/errors';
import { loadTokenizer } from '../../tokenizer/load';
import type { TemplateId, TokenizerBundle } from '../../tokenizer/types';
import { loadAdapter } from '../adapters/load';
import { loadModel } from '../loadModel';
import type { ResidentModel } from '../residentModel';
import type { GenerateOptions, Generation, LoadOptions, Score } from '../types';
import { Generator } from './generator';
import { Scorer } from './scorer';

export class LanguageModel {
  private readonly scorer: Scorer;
  private readonly generator: Generator;
  private tokenizer: TokenizerBundle | null = null;

  private constructor(
    private readonly resident: ResidentModel,
    private readonly template: TemplateId | null,
  ) {
    this.scorer = new Scorer(resident);
    this.generator = new Generator(resident);
  }

  /** Loads a checkpoint and, if one is named, an adapter. Throws `checkpoint.*`, `engine.*`. */
  static async load({
    model: directory,
    adapter,
    dtype,
    quantization = null,
    template = null,
  }: LoadOptions): Promise<LanguageModel> {
    const resident = await loadModel({
      directory,
      dtype,
      trainable: false,
      quantization: quantization && { type: quantization, double_quant: true },
    });
    try {
      if (adapter) await loadAdapter(resident, adapter);
      return new LanguageModel(resident, template);
    } catch (error) {
      await resident.close();
      throw error;
    }
  }

  get parameters(): number {
    return this.resident.parameters;
  }

  get maxLength(): number {
    return this.resident.maxLength;
  }

  get vocabSize(): number {
    return this.resident.model.vocabSize;
  }

  /** Tokenizer and prompt format; read when first asked for, so that rows of ids need none. Throws `tokenizer.*`. */
  async bundle(): Promise<TokenizerBundle> {
    const { vocabSize, template } = this;
    this.tokenizer ??= await loadTokenizer(this.resident.directory, { vocabSize, template });
    return this.tokenizer;
  }

  /** Log-probabilities of a sequence; see `Score`. `paddingBefore`: as in `EncodedSample`. */
  async score(
    inputIds: readonly number[],
    labels: readonly number[] | null,
    topLogprobs: number,
    paddingBefore = 0,
  ): Promise<Score> {
    this.checkIds(inputIds);
    return this.scorer.score(inputIds, labels, topLogprobs, paddingBefore);
  }

  /** Continues a prompt. */
  async generate(promptIds: readonly number[], options: GenerateOptions): Promise<Generation> {
    this.checkPrompt(promptIds);
    return this.generator.generate(promptIds, options);
  }

  /** Continues several prompts side by side, `options[i]` for `prompts[i]`; a row ends by its own rules. */
  async generateBatch(
    prompts: readonly (readonly number[])[],
    options: readonly GenerateOptions[],
  ): Promise<Generation[]> {
    for (const prompt of prompts) this.checkPrompt(prompt);
    return prompts.length === 0 ? [] : this.generator.generateBatch(prompts, options);
  }

  private checkPrompt(ids: readonly number[]): void {
    this.checkIds(ids);
    if (ids.length >= this.maxLength)
      throw new GlmError('engine.tooLong', { tokens: ids.length, limit: this.maxLength });
  }

  private checkIds(ids: readonly number[]): void {
    if (ids.length === 0) throw new GlmError('engine.noTokens', {});
    const bad = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= this.vocabSize);
    if (bad !== undefined) throw new GlmError('engine.badToken', { id: bad, vocabulary: this.vocabSize });
  }

  async dispose(): Promise<void> {
    await this.resident.close();
  }
}
