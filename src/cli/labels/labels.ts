/** `labels FILE`: the tokens that training makes of each row, and which of them it trains. */
import { readConfig } from '../../checkpoint/config';
import { structureOf } from '../../checkpoint/structure';
import { readRecords } from '../../dataset';
import { GlmError } from '../../protocol/errors';
import { describeDropReason } from '../../text/dropReasons';
import { describeFinding } from '../../text/findings';
import { labelView, type LabelView } from '../../tokenizer/labelView';
import { loadTokenizer } from '../../tokenizer/load';
import type { EncodeOptions, TemplateId, TokenizerBundle } from '../../tokenizer/types';
import type { CommandContext } from '../context';
import { EXIT_OK, InterruptedError } from '../exit';
import { interruptSignal } from '../interrupt';
import { requireFile } from '../rows/readRows';
import { labelLines } from './labelLines';

export interface LabelsOptions {
  model: string;
  line?: number;
  maxRows?: number;
  maxLength: number;
  maskHistory?: boolean;
  template?: TemplateId;
}

/** Rows shown on a screen where nothing else is asked for. */
const FEW_ROWS = 5;

export async function labels(context: CommandContext, options: LabelsOptions, file: string): Promise<number> {
  const { output, t } = context;
  requireFile(file);
  const { vocabSize, maxLength } = structureOf(readConfig(options.model));
  const bundle = await loadTokenizer(options.model, { vocabSize, template: options.template });
  const encode: EncodeOptions = {
    maxLength: Math.min(options.maxLength, maxLength),
    maskHistory: options.maskHistory ?? false,
  };
  const limit = options.maxRows ?? (output.json || options.line !== undefined ? Infinity : FEW_ROWS);
  const { signal, dispose } = interruptSignal();
  let shown = 0;
  try {
    for await (const item of readRecords(file, signal)) {
      if (output.closed || (options.line !== undefined && item.line > options.line)) break;
      if (options.line !== undefined && item.line !== options.line) continue;
      if (shown === limit) {
        output.info(t('There are more rows. Choose one with --line, or show more with --max-rows.'));
        break;
      }
      if (shown === 0) output.info(t('Marks: + trained, - only read.'));
      shown += 1;
      if ('dropped' in item) {
        const why = describeFinding(t, item.dropped);
        writeDropped(context, file, item.line, item.dropped.rule, why);
        continue;
      }
      const view = labelView(bundle, item.record, encode);
      if ('dropped' in view) {
        writeDropped(context, file, item.line, view.dropped, describeDropReason(t, view.dropped));
      } else writeView(context, file, item.line, view, bundle);
      await output.drained();
    }
  } catch (error) {
    if (signal.aborted) throw new InterruptedError('', { cause: error });
    throw error;
  } finally {
    dispose();
  }
  if (shown === 0) {
    if (options.line === undefined) throw new GlmError('input.empty', { path: file });
    throw new GlmError('input.noSuchLine', { path: file, line: options.line });
  }
  return EXIT_OK;
}

/** A row that is not trained on; `reason` is a lint rule or a `DropReason`. */
function writeDropped(
  { output, t }: CommandContext,
  file: string,
  line: number,
  reason: string,
  why: string,
): void {
  if (output.json) output.record({ type: 'labels', file, line, dropped: reason, message: why });
  else output.result(`${t('Line {line}: left out', { line })}: ${why}`);
}

function writeView(
  { output, t }: CommandContext,
  file: string,
  line: number,
  view: LabelView,
  bundle: TokenizerBundle,
): void {
  const { tokens, trained, truncated, contextTurns } = view;
  if (output.json) {
    output.record({
      type: 'labels',
      file,
      line,
      template: bundle.templateId,
      trained,
      truncated,
      context_turns: contextTurns,
      tokens: tokens.map(({ messageIndex, ...token }) => ({ ...token, message_index: messageIndex })),
    });
    return;
  }
  const notes = [t('{count} tokens', { count: tokens.length }), t('{count} trained', { count: trained })];
  if (truncated > 0) notes.push(t('{count} cut away', { count: truncated }));
  output.result(`${t('Line {line}', { line })}: ${notes.join(', ')}`);
  if (contextTurns > 0)
    output.result(t('Earlier answers that are only read here: {count}', { count: contextTurns }));
  for (const text of labelLines(tokens, bundle.tokenizer, output, t)) output.result(text);
}
