/** "Download a Model": asks which, fetches it with progress, says what it is. */
import path from 'node:path';
import * as vscode from 'vscode';
import { COMMANDS } from '../../host/names';
import type { Services } from '../../host/services';
import { downloadEndpointSetting, proxySetting } from '../../host/settings';
import { t } from '../../host/translate';
import { diskPath, requireTrust } from '../../host/trust';
import type { DownloadEvent } from '../../protocol/download';
import { runDownload, type DownloadFailure, type DownloadOutcome } from './downloadProcess';
import { askForModel, type WantedModel } from './questions';

/** Errors that an access token may help against. */
const WANTS_TOKEN: ReadonlySet<string> = new Set(['hub.gated', 'hub.notFound', 'hub.denied']);

/** Throws GlmError where the workspace is not trusted. */
export async function downloadModel(services: Services): Promise<void> {
  requireTrust();
  const wanted = await askForModel(downloadEndpointSetting());
  if (!wanted) return;
  const parent = await askFolder(wanted);
  if (parent === undefined) return;
  const name = wanted.repository.slice(wanted.repository.lastIndexOf('/') + 1);
  await fetchModel(services, wanted, path.join(parent, name));
}

async function askFolder({ repository }: WantedModel): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    ...(vscode.workspace.workspaceFolders?.[0] && { defaultUri: vscode.workspace.workspaceFolders[0].uri }),
    openLabel: t('Download Here'),
    title: t('A folder for {repository} will be made in the folder you choose', { repository }),
  });
  return chosen?.[0] && diskPath(chosen[0]);
}

async function fetchModel(services: Services, wanted: WantedModel, directory: string): Promise<void> {
  const secret = secretName(wanted.source);
  const token = (await services.context.secrets.get(secret)) ?? null;
  const request = { ...wanted, directory, token, environment: environment() };
  const outcome = await vscode.window.withProgress(
    {
      location: vscode.ProgressLocation.Notification,
      title: t('Downloading {repository}', { repository: wanted.repository }),
      cancellable: true,
    },
    (progress, cancellation) => {
      const abort = new AbortController();
      cancellation.onCancellationRequested(() => abort.abort());
      let percent = 0;
      return runDownload(services.runtimes, request, abort.signal, (event) => {
        const reached = percentOf(event);
        const message = progressText(event);
        progress.report({ ...(message && { message }), increment: Math.max(0, reached - percent) });
        percent = Math.max(percent, reached);
      });
    },
  );
  const again = (): Promise<void> => fetchModel(services, wanted, directory);
  if (outcome.failure) showFailure(services, secret, outcome.failure, again);
  else if (outcome.cancelled) await offerToGoOn(services, wanted, again);
  else await showModel(directory, outcome);
}

/** Tokens are kept for each server by itself. */
function secretName(source: string): string {
  const mirror = source === 'huggingface' ? downloadEndpointSetting() : '';
  return `hubToken ${mirror || source}`;
}

function environment(): Record<string, string> {
  const [proxy, mirror] = [proxySetting(), downloadEndpointSetting()];
  return {
    ...(proxy && { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy }),
    ...(mirror && { HF_ENDPOINT: mirror }),
  };
}

function showFailure(
  { failures, context }: Services,
  secret: string,
  failure: DownloadFailure,
  again: () => Promise<void>,
): void {
  const tryAgain = { title: t('Try Again'), run: again };
  const enterToken = {
    title: t('Enter Access Token…'),
    run: async () => {
      const token = await vscode.window.showInputBox({
        title: t('Download a Model'),
        prompt: t('Access token with the right to read. It is kept in the secret storage of VS Code.'),
        password: true,
        ignoreFocusOut: true,
      });
      if (!token?.trim()) return;
      await context.secrets.store(secret, token.trim());
      await again();
    },
  };
  failures.showText(failure, WANTS_TOKEN.has(failure.code) ? [enterToken, tryAgain] : [tryAgain]);
}

async function offerToGoOn(
  { failures }: Services,
  { repository }: WantedModel,
  again: () => Promise<void>,
): Promise<void> {
  const goOn = t('Go On');
  const message = t('The download of {repository} was cancelled. What is here already is kept.', {
    repository,
  });
  if ((await vscode.window.showInformationMessage(message, goOn)) === goOn) await failures.guard(again);
}

async function showModel(directory: string, { verdict }: DownloadOutcome): Promise<void> {
  const problem = verdict?.ok === false ? (errorOf(verdict.findings) ?? verdict.message) : undefined;
  if (problem !== undefined) {
    void vscode.window.showWarningMessage(
      t('{directory} was downloaded, but cannot be used as it is: {problem}', { directory, problem }),
    );
    return;
  }
  const fineTune = t('Fine-tune ChatGLM');
  const message = t('{directory} was downloaded and checked.', { directory });
  // Adapters are no models to begin from.
  if (verdict?.type === 'adapter') void vscode.window.showInformationMessage(message);
  else if ((await vscode.window.showInformationMessage(message, fineTune)) === fineTune)
    await vscode.commands.executeCommand(COMMANDS.fineTune);
}

function errorOf(findings: { severity: string; message: string }[] | undefined): string | undefined {
  return findings?.find(({ severity }) => severity === 'error')?.message;
}

function percentOf(event: DownloadEvent): number {
  if (event.total_bytes === 0) return 0;
  return (100 * (event.type === 'plan' ? event.present_bytes : event.received_bytes)) / event.total_bytes;
}

function progressText(event: DownloadEvent): string {
  if (event.type === 'plan') return '';
  const megabytes = (bytes: number): string => Math.round(bytes / 1e6).toLocaleString(vscode.env.language);
  switch (event.phase) {
    case 'listing':
      return t('looking for the files');
    case 'waiting':
      return t('waiting for another download into the same folder to finish');
    case 'paused':
      return t('the server asks to wait {seconds} s', { seconds: Math.ceil((event.pause_ms ?? 0) / 1000) });
    case 'checking':
      return t('checking {file}', { file: event.file });
    case 'downloading':
      return t('{received} of {total} MB', {
        received: megabytes(event.received_bytes),
        total: megabytes(event.total_bytes),
      });
  }
}
