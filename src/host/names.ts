/**
 * Every name that stands both in the code and in package.json. `test/unit/host/manifest.test.ts` checks that the manifest
 * and its two string files agree with these.
 */

export const COMMANDS = {
  fineTune: 'glmtune.fineTune',
  runFile: 'glmtune.runFile',
  openRun: 'glmtune.openRun',
  stopRun: 'glmtune.stopRun',
  resumeRun: 'glmtune.resumeRun',
  revealRun: 'glmtune.revealRun',
  deleteRun: 'glmtune.deleteRun',
  chatWithRun: 'glmtune.chatWithRun',
  newChat: 'glmtune.newChat',
  saveChat: 'glmtune.saveChat',
  installEngine: 'glmtune.installEngine',
  downloadModel: 'glmtune.downloadModel',
  doctor: 'glmtune.doctor',
  openSamples: 'glmtune.openSamples',
  showLog: 'glmtune.showLog',
} as const;

/** Section of all settings. */
export const CONFIGURATION = 'glmtune';

/** Setting keys below `glmtune.`. */
export const SETTINGS = {
  nodePath: 'engine.nodePath',
  indexUrl: 'engine.indexUrl',
  variant: 'engine.variant',
  downloadEndpoint: 'download.endpoint',
  lintEnabled: 'lint.enabled',
  lintDelay: 'lint.delay',
  chatSample: 'chat.doSample',
  chatTemperature: 'chat.temperature',
  chatTopP: 'chat.topP',
  chatTopK: 'chat.topK',
  chatRepetitionPenalty: 'chat.repetitionPenalty',
  chatMaxNewTokens: 'chat.maxNewTokens',
  chatSeed: 'chat.seed',
} as const;

export const VIEWS = {
  container: 'glmtune',
  runs: 'glmtune.runs',
  chat: 'glmtune.chat',
} as const;

/** Type of the run panel, as in `onWebviewPanel:`. */
export const RUN_PANEL = 'glmtune.runPanel';

export const WALKTHROUGH = 'glmtune.start';

/** `contextValue`s of items in the Runs view, matched by `when` clauses. */
export const RUN_CONTEXT = {
  running: 'run.running',
  resumable: 'run.resumable',
  done: 'run.done',
  ended: 'run.ended',
} as const;

/** Suffix of run files. */
export const RUN_FILE_SUFFIX = '.glmtune.json';
