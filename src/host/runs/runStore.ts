/** All runs of the workspace: found on disk, followed while they grow. */
import path from 'node:path';
import * as vscode from 'vscode';
import { EVENTS_FILE, RUN_FILE } from '../../protocol/runDirectory';
import { Disposable } from '../lifecycle';
import type { Log } from '../log';
import { RunFolder } from './runFolder';
import { isLive } from './runState';

const EXCLUDE = '**/{node_modules,.git}/**';
const MAX_RUNS = 1000;

export class RunStore extends Disposable {
  private readonly folders = new Map<string, RunFolder>();
  private readonly changed = this._register(new vscode.EventEmitter<RunFolder>());
  private readonly listChanged = this._register(new vscode.EventEmitter<void>());
  /** A run's state changed. */
  readonly onDidChangeRun = this.changed.event;
  /** Runs came or went. */
  readonly onDidChangeList = this.listChanged.event;
  private scanning: Promise<void> | null = null;

  constructor(private readonly log: Log) {
    super();
    const watcher = this._register(vscode.workspace.createFileSystemWatcher(`**/${RUN_FILE}`));
    this._register(watcher.onDidCreate((uri) => void this.consider(uri)));
    // A file that is written in place is empty when it is created.
    this._register(watcher.onDidChange((uri) => void this.consider(uri)));
    this._register(watcher.onDidDelete((uri) => this.remove(path.dirname(uri.fsPath))));
    this._register(vscode.workspace.onDidChangeWorkspaceFolders(() => void this.scan()));
  }

  /** Runs, newest first. */
  get runs(): RunFolder[] {
    return [...this.folders.values()].sort((a, b) => startOf(b).localeCompare(startOf(a)));
  }

  /** The run that the status bar shows: the newest one that is going on. */
  get active(): RunFolder | undefined {
    return this.runs.find((run) => isLive(run.phase));
  }

  get(directory: string): RunFolder | undefined {
    return this.folders.get(path.normalize(directory));
  }

  /** Looks through the workspace; later calls while one goes on share it. */
  scan(): Promise<void> {
    this.scanning ??= this.scanNow().finally(() => (this.scanning = null));
    return this.scanning;
  }

  /** The run in `directory`, followed from now on if it was not yet. */
  add(directory: string): RunFolder {
    const key = path.normalize(directory);
    const known = this.folders.get(key);
    if (known) return known;
    const run = new RunFolder(key, (changed) => this.changed.fire(changed));
    this.folders.set(key, run);
    void run.refresh();
    this.listChanged.fire();
    return run;
  }

  remove(directory: string): void {
    const key = path.normalize(directory);
    const run = this.folders.get(key);
    if (!run) return;
    this.folders.delete(key);
    run.dispose();
    this.listChanged.fire();
  }

  override dispose(): void {
    for (const run of this.folders.values()) run.dispose();
    this.folders.clear();
    super.dispose();
  }

  private async scanNow(): Promise<void> {
    const found = await vscode.workspace.findFiles(`**/${EVENTS_FILE}`, EXCLUDE, MAX_RUNS);
    await Promise.all(found.map((uri) => this.consider(uri)));
    this.log.debug(`runs in the workspace: ${this.folders.size}`);
  }

  /** A run directory holds run.json; events.jsonl may come a moment later. */
  private async consider(uri: vscode.Uri): Promise<void> {
    if (uri.scheme !== 'file') return;
    const directory = path.dirname(uri.fsPath);
    if (this.folders.has(path.normalize(directory))) return;
    if (!(await isRunDirectory(directory))) return;
    const run = this.add(directory);
    await run.refresh();
  }
}

/** `run.json` is a common name: a run's is one that names a model and a method. */
async function isRunDirectory(directory: string): Promise<boolean> {
  const runFile = vscode.Uri.file(path.join(directory, RUN_FILE));
  try {
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(runFile));
    const value = JSON.parse(text) as Record<string, unknown>;
    return typeof value === 'object' && value !== null && 'model' in value && 'method' in value;
  } catch {
    return false;
  }
}

/** Start time for ordering; a run that has not reported yet is the newest. */
function startOf(run: RunFolder): string {
  return run.progress.started?.time ?? '9999';
}
