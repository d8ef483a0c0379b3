/** The dataset's entry in the language status of the status bar. */
import * as vscode from 'vscode';
import { t } from '../host/translate';
import { describeFormat } from '../text/findings';
import type { LintState } from './lintedDocument';
import type { LintMonitor } from './monitor';
import { DATASET_SELECTOR } from './selector';
import { problemCount, recordCount, SHOW_PROBLEMS } from './summary';

/** Beyond either size VS Code does not colour a text. */
const MOST_COLOURED_LINES = 300_000;

export function registerLanguageStatus(monitor: LintMonitor): vscode.Disposable {
  const item = vscode.languages.createLanguageStatusItem('glmtune.dataset', DATASET_SELECTOR);
  item.name = t('ChatGLM dataset');
  const update = () => show(item, monitor);
  update();
  return vscode.Disposable.from(
    item,
    monitor.onDidChange(update),
    vscode.window.onDidChangeActiveTextEditor(update),
  );
}

function show(item: vscode.LanguageStatusItem, monitor: LintMonitor): void {
  const uri = vscode.window.activeTextEditor?.document.uri;
  const linted = uri === undefined ? undefined : monitor.get(uri);
  item.busy = linted?.busy ?? false;
  item.severity = vscode.LanguageStatusSeverity.Information;
  item.command = undefined;
  const state = linted?.state;
  if (state === undefined) {
    item.text = linted === undefined ? t('Dataset is not checked') : t('Checking dataset…');
    item.detail = undefined;
    return;
  }
  item.text = `${formatName(state)} · ${recordCount(state)}`;
  item.detail = detail(state);
  item.command = { title: t('Show Problems'), command: SHOW_PROBLEMS };
  if (state.counts.error > 0) item.severity = vscode.LanguageStatusSeverity.Error;
  else if (state.counts.warning > 0) item.severity = vscode.LanguageStatusSeverity.Warning;
}

function formatName({ summary }: LintState): string {
  const [usual, ...others] = summary.formats;
  if (usual === undefined) return t('no known format');
  const name = describeFormat(t, usual[0]);
  return others.length === 0 ? name : t('{format} and others', { format: name });
}

function detail(state: LintState): string {
  const problems = problemCount(state);
  if (state.summary.lines <= MOST_COLOURED_LINES) return problems;
  return `${problems} · ${t('too many lines for colours')}`;
}
