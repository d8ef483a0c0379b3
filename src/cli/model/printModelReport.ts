/** The model report for people: facts, what each method trains, then every finding. */
import path from 'node:path';
import { familyName } from '../../checkpoint/familyName';
import type { MethodCount, ModelFinding, ModelReport } from '../../protocol/modelReport';
import { describeFinding } from '../../text/modelFindings';
import type { CommandContext } from '../context';
import { printFacts, type Fact } from '../facts';
import { formatBytes, formatCount, formatPercent } from '../format';

/** Findings of one kind that are written out; all are counted. */
const MOST_OF_A_KIND = 20;

export function printModelReport(context: CommandContext, report: ModelReport): void {
  const { output, t } = context;
  printFacts(output, factsOf(t, report));
  if (report.model && report.methods.length > 0) {
    output.result('');
    output.result(t('Trainable parameters:'));
    const total = report.model.parameters;
    printFacts(
      output,
      report.methods.map((method) => [`  ${methodLabel(method)}`, countText(method.trainable, total)]),
    );
  }
  printFindings(context, report.findings);
  output.result('');
  output.result(report.ok ? t('The model can be used.') : t('The model cannot be used as it is.'));
}

function factsOf(t: CommandContext['t'], { directory, model, weights, tokenizer }: ModelReport): Fact[] {
  const facts: Fact[] = [[t('Model'), directory]];
  if (model) {
    const bits = model.quantization_bit > 0 ? `, int${model.quantization_bit}` : '';
    facts.push(
      [t('Family'), `${familyName(model.architecture, namesOf(directory, tokenizer))}${bits}`],
      [t('Parameters'), formatCount(model.parameters)],
      [t('Layers'), t('{layers}, {width} wide', { layers: model.layers, width: model.hidden_size })],
      [t('Context length'), t('{count} tokens', { count: formatCount(model.context_length) })],
    );
  }
  if (weights) {
    const { dtype, format, files, bytes } = weights;
    const name = format === 'torch' ? 'PyTorch .bin' : 'safetensors';
    facts.push([
      t('Weights'),
      t('{dtype}, {name}, {size} in files: {files}', { dtype, name, size: formatBytes(bytes), files }),
    ]);
  }
  if (model) facts.push([t('Vocabulary'), vocabularyText(t, model.vocabulary_rows, tokenizer)]);
  return facts;
}

/** What tells families of one network apart: the prompt format that was recognised, then the directory's name. */
function namesOf(directory: string, tokenizer: ModelReport['tokenizer']): string[] {
  return [...(tokenizer ? [tokenizer.template] : []), path.basename(directory)];
}

function vocabularyText(t: CommandContext['t'], rows: number, tokenizer: ModelReport['tokenizer']): string {
  if (!tokenizer) return t('{rows} rows', { rows: formatCount(rows) });
  const { tokens, template } = tokenizer;
  return t('{rows} rows, {tokens} tokens, prompt format {template}', {
    rows: formatCount(rows),
    tokens: formatCount(tokens),
    template,
  });
}

function methodLabel({ method, settings }: MethodCount): string {
  const parts = Object.entries(settings).map(([key, value]) => `${key} ${value}`);
  return [method, ...parts].join(', ');
}

/** Such as `1,949,696 (0.031 %)`. */
function countText(trainable: number, total: number): string {
  return `${formatCount(trainable)} (${formatPercent(trainable / total)})`;
}

function printFindings(context: CommandContext, findings: readonly ModelFinding[]): void {
  const groups = new Map<string, ModelFinding[]>();
  findings.forEach((finding, index) => {
    // Files that cannot be read have a remedy each; findings of one kind share theirs.
    const key = finding.code === 'failed' ? `failed ${index}` : finding.code;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  });
  for (const group of groups.values()) printGroup(context, group);
}

function printGroup({ output, t }: CommandContext, group: readonly ModelFinding[]): void {
  const labels = { error: t('Problem:'), warning: t('Warning:'), note: t('Note:') };
  const colours = { error: 'red', warning: 'yellow', note: 'dim' } as const;
  output.result('');
  for (const finding of group.slice(0, MOST_OF_A_KIND)) {
    const label = output.paint(labels[finding.severity], colours[finding.severity]);
    output.result(`${label} ${describeFinding(t, finding).message}`);
  }
  const rest = group.length - MOST_OF_A_KIND;
  if (rest > 0) output.result(`  ${t('and {count} more', { count: rest })}`);
  const { remedy } = describeFinding(t, group[0]);
  if (remedy) output.result(`  ${remedy}`);
}
