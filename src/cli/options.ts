/** Values of options: parsers that refuse with a sentence, and options several commands share. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ENGINE_CHOICES, ENGINE_VARIABLE } from '../install/engineChoice';
import type { ChatModel, SamplingSettings } from '../protocol/control';
import type { Translate } from '../text/translate';
import type { EngineOptions } from './engineLoader';

/** A whole number of at least `minimum`. */
export function wholeNumber(t: Translate, minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text.trim()) || !Number.isSafeInteger(value) || value < minimum)
      throw new InvalidArgumentError(t('A whole number of at least {minimum} is expected.', { minimum }));
    return value;
  };
}

/** A number above `minimum` (or equal to it where `orEqual`) and at most `maximum`. */
export function numberBetween(
  t: Translate,
  minimum: number,
  maximum: number,
  orEqual = false,
): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!(orEqual ? value >= minimum : value > minimum) || !(value <= maximum))
      throw new InvalidArgumentError(
        t('A number between {minimum} and {maximum} is expected.', { minimum, maximum }),
      );
    return value;
  };
}

/** `--model` and how it is loaded. `chat --stdio` gets its model later, so there the option may be absent. */
export function addModelOptions(command: Command, t: Translate, required = true): void {
  command
    .addOption(
      new Option(
        '--model <dir>',
        t('checkpoint directory (config.json, weights, tokenizer)'),
      ).makeOptionMandatory(required),
    )
    .option('--adapter <dir>', t('adapter directory (LoRA or P-Tuning v2), put on the model'))
    .addOption(
      new Option('--dtype <type>', t('number format of the computation'))
        .choices(['float32', 'bfloat16', 'float16'])
        .default('float32'),
    )
    .addOption(new Option('--quantization <type>', t('keep the linear layers in 4 bits')).choices(['nf4']))
    .addOption(
      new Option('--template <name>', t('prompt format instead of the one of the model')).choices([
        'chatglm',
        'chatglm2',
        'chatglm3',
        'glm4',
        'jinja',
      ]),
    );
  addEngineOption(command, t);
}

export interface ModelOptions extends EngineOptions {
  model: string;
  adapter?: string;
  dtype: ChatModel['dtype'];
  quantization?: 'nf4';
  template?: NonNullable<ChatModel['template']>;
}

/** The options as the engine takes them. */
export function modelToLoad(options: ModelOptions): ChatModel {
  const { model, adapter = null, dtype, quantization = null, template = null } = options;
  return { model, adapter, dtype, quantization, template };
}

/** `--engine`, of commands that compute. */
export function addEngineOption(command: Command, t: Translate): void {
  command.addOption(
    new Option(
      '--engine <name>',
      t(
        'what computes: libtensorflow, or wasm, the portable engine for small models; auto takes wasm where there is no libtensorflow for the platform (also {variable})',
        { variable: ENGINE_VARIABLE },
      ),
    ).choices([...ENGINE_CHOICES]),
  );
}

/** Sampling options of `generate` and `chat`. */
export interface SamplingOptions {
  maxNewTokens: number;
  greedy?: boolean;
  temperature: number;
  topP: number;
  topK: number;
  repetitionPenalty: number;
  seed: number;
}

export function addSamplingOptions(command: Command, t: Translate): void {
  command
    .option('--greedy', t('always take the most likely token'))
    .addOption(
      new Option('--temperature <number>', t('how even the choice is; lower is safer'))
        .argParser(numberBetween(t, 0, 100))
        .default(0.8),
    )
    .addOption(
      new Option('--top-p <number>', t('choose among the likeliest tokens that make up this probability'))
        .argParser(numberBetween(t, 0, 1))
        .default(0.8),
    )
    .addOption(
      new Option('--top-k <number>', t('choose among this many likeliest tokens; 0 is off'))
        .argParser(wholeNumber(t, 0))
        .default(0),
    )
    .addOption(
      new Option('--repetition-penalty <number>', t('above 1 makes tokens that occurred already less likely'))
        .argParser(numberBetween(t, 0, 100))
        .default(1),
    )
    .addOption(
      new Option('--seed <number>', t('start of the random numbers; the same seed gives the same text'))
        .argParser(wholeNumber(t, 0))
        .default(42),
    );
}

export function samplingSettings(options: SamplingOptions, maxNewTokens: number): SamplingSettings {
  return {
    do_sample: !options.greedy,
    temperature: options.temperature,
    top_p: options.topP,
    top_k: options.topK,
    repetition_penalty: options.repetitionPenalty,
    max_new_tokens: maxNewTokens,
    seed: options.seed,
  };
}

/** `--json` and `--lang`, which every command takes. */
export function addCommonOptions(command: Command, t: Translate): void {
  command
    .option('--json', t('write results as JSON, one object a line'))
    .option('--lang <language>', t('language of the texts: en or zh-cn'))
    .helpOption('-h, --help', t('show this help'));
}
