/** What the rooms above `host` are given. Built once in `extension.ts`. */
import type * as vscode from 'vscode';
import type { Engine } from './engine';
import type { Failures } from './failures';
import type { Log } from './log';
import type { RunStore } from './runs/runStore';
import type { TrainingSupervisor } from './runs/supervisor';
import type { Runtimes } from './runtimes';

export interface Services {
  context: vscode.ExtensionContext;
  log: Log;
  failures: Failures;
  runtimes: Runtimes;
  engine: Engine;
  runs: RunStore;
  training: TrainingSupervisor;
}
