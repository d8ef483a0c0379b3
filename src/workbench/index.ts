/** Everything the user sees outside the text editor. */
import * as vscode from 'vscode';
import type { IDisposable } from '../host/lifecycle';
import { COMMANDS } from '../host/names';
import type { Services } from '../host/services';
import { ChatView } from './chat/chatView';
import { showDoctor } from './doctor';
import { downloadModel } from './download/downloadModel';
import { RunFileLens } from './runFile/lens';
import { RunFileProblems } from './runFile/problems';
import { RunPanels } from './runPanel/panels';
import { RunCommands } from './runs/runCommands';
import { RunsTree } from './runs/runsTree';
import { RunStatusBar } from './runs/statusBar';
import { openSamples } from './samples';
import { FineTuneWizard } from './wizard/wizard';

export function registerWorkbench(services: Services): IDisposable[] {
  const { context, failures } = services;
  const command = (name: string, handler: (argument: unknown) => unknown): IDisposable =>
    vscode.commands.registerCommand(name, (argument: unknown) =>
      failures.guard(async () => handler(argument)),
    );
  const panels = new RunPanels(services);
  const chat = new ChatView(services);
  return [
    panels,
    chat,
    new RunCommands(services, panels, (run) => chat.chatWith(run)),
    new RunsTree(services.runs),
    new RunStatusBar(services.runs),
    new RunFileLens(services.runs),
    new RunFileProblems(),
    command(COMMANDS.fineTune, (argument) =>
      new FineTuneWizard(services).run(argument instanceof vscode.Uri ? argument : undefined),
    ),
    command(COMMANDS.installEngine, () => services.engine.install()),
    command(COMMANDS.downloadModel, () => downloadModel(services)),
    command(COMMANDS.doctor, () => showDoctor(services.runtimes)),
    command(COMMANDS.openSamples, () => openSamples(context.extensionUri)),
    command(COMMANDS.showLog, () => services.log.show()),
  ];
}
