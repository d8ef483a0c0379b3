import type { TemplateId, TokenizerBundle } from '../types';

/** The kinds of tokenizer files, by what is in them and not by their name: two kinds are called `tokenizer.model`. */
export type TokenizerKind =
  /** `ice_text.model`, SentencePiece, of ChatGLM-6B. */
  | 'iceText'
  /** `tokenizer.model`, SentencePiece, of ChatGLM2 and ChatGLM3. */
  | 'sentencePiece'
  /** `tokenizer.model` with a line `base64 rank` for each token (tiktoken), of GLM-4-9B. */
  | 'ranks'
  /** `tokenizer.json` of Hugging Face's tokenizers, of GLM-4-9B-hf, GLM-4-0414 and GLM-Edge. */
  | 'tokenizerJson';

/** The tokenizer's file and what stands beside it. */
export interface TokenizerFiles {
  kind: TokenizerKind;
  /** Directory of the model, to find further files in. */
  directory: string;
  /** Path of the tokenizer's own file. */
  path: string;
  /** Its contents; at most `MAX_TOKENIZER_BYTES`. */
  bytes: Uint8Array;
  /** `config.json` as parsed, empty if absent. */
  config: Readonly<Record<string, unknown>>;
  /** `tokenizer_config.json` as parsed, empty if absent. */
  tokenizerConfig: Readonly<Record<string, unknown>>;
}

/** How tokenizers of one kind are made; one file each in this folder. */
export interface TokenizerLoader {
  /** Prompt formats that can be written with such a tokenizer. */
  readonly templates: readonly TemplateId[];
  /** The prompt format these files were made for; asked only where neither the caller nor a file names one. */
  detectTemplate(files: TokenizerFiles): TemplateId | Promise<TemplateId>;
  /**
   * @param vocabSize rows of the model's embedding; pre-tokenised rows are checked against it
   * @param templateId one of `templates`
   * @throws GlmError `tokenizer.*`
   */
  load(
    files: TokenizerFiles,
    templateId: TemplateId,
    vocabSize: number,
  ): TokenizerBundle | Promise<TokenizerBundle>;
}
