/** "Download a Model" from a server on this machine that speaks Hugging Face's protocol, in both languages. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import type { Locator } from 'playwright-core';
import { ROOT } from '../../.ci/lib/run.mjs';
import { REPOSITORY, startHub, type HubServer } from '../unit/hub/hubServer';
import { filesBelow } from '../unit/hub/repositories';
import { eventually, PATIENCE } from './harness/eventually';
import { workbenchSuite, type Scenario, type SuiteOptions } from './harness/suite';
import type { Workbench } from './harness/workbench';

const NAME = path.basename(REPOSITORY);
const WEIGHTS = 'model.safetensors';
/** Bytes of the weights after which the server falls silent the first time. */
const SILENCE = 3_400_000;

function translations(file: string): Record<string, string> {
  return JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')) as Record<string, string>;
}

/** The practice model under another name. */
function modelFiles(): Map<string, Buffer> {
  const names = ['config.json', WEIGHTS, 'tokenizer.model', 'tokenizer_config.json'];
  return new Map(
    names.map((name) => [name, readFileSync(path.join(ROOT, 'media/practice-model', name))] as const),
  );
}

/** Called inside `describe`: the setting names a server that falls silent once in the middle of the weights. */
function downloadSuite(options: SuiteOptions = {}): { scenario: Scenario; hub: () => HubServer } {
  const ends: (() => void)[] = [];
  const machineSettings: Record<string, unknown> = {};
  let hub: HubServer;
  before(async () => {
    const files = modelFiles().set('README.md', Buffer.from('# Not needed\n'));
    const faults = new Map([[WEIGHTS, [{ stall: SILENCE }]]]);
    hub = await startHub({ after: (end) => ends.push(end) }, { files, large: new Set([WEIGHTS]), faults });
    machineSettings['glmtune.download.endpoint'] = hub.endpoint;
  });
  after(() => ends.forEach((end) => end()));
  const workspace = { samples: 'media/samples' };
  const scenario = workbenchSuite({ ...options, machineSettings, workspace, folderName: 'tea-house' });
  return { scenario, hub: () => hub };
}

/** Runs the command and answers by keyboard: the proposed server, the repository, the workspace as the proposed folder. */
async function start(workbench: Workbench, command: string, hub: HubServer, picture?: string): Promise<void> {
  const { keyboard } = workbench.page;
  await workbench.command(command);
  await workbench
    .quickPickRow('Hugging Face', '.focused')
    .filter({ hasText: hub.endpoint })
    .waitFor({ timeout: PATIENCE });
  if (picture) await workbench.screenshot(`${picture}-source`);
  await keyboard.press('Enter');
  await workbench.page.locator('.quick-input-title', { hasText: '2/2' }).waitFor({ timeout: PATIENCE });
  await keyboard.press('Enter');
  await workbench.page
    .locator('.quick-input-message', { hasText: /^(Owner and name are expected|应为所有者和名称)/ })
    .waitFor({ timeout: PATIENCE });
  if (picture) await workbench.screenshot(`${picture}-repository`);
  await keyboard.type(REPOSITORY);
  await keyboard.press('Enter');
  await eventually(
    'the dialog for a folder',
    async () => (await workbench.quickInput.inputValue()) === `${workbench.folder}/`,
  );
  if (picture) await workbench.screenshot(`${picture}-folder`);
  await keyboard.press('Enter');
}

/**
 * The notification with a text. It is looked for in the centre, as there are no toasts under the smoke-test driver. The
 * centre closes with the last notification, so it is opened until the text is there.
 */
function notification(workbench: Workbench, text: string): Promise<Locator> {
  return eventually(`the notification "${text}"`, async () => {
    const item = (await workbench.notifications()).filter({ hasText: text });
    await item.waitFor({ timeout: 5000 });
    return item;
  });
}

async function press(item: Locator, button: string): Promise<void> {
  await item.locator('.monaco-button', { hasText: button }).click();
}

function checkDirectory(directory: string, hub: HubServer): void {
  const [found, expected] = [filesBelow(directory), modelFiles()];
  assert.deepEqual([...found.keys()], [...expected.keys()].sort());
  for (const [name, content] of expected) assert.ok(found.get(name)?.equals(content), name);
  assert.deepEqual(
    hub.contents.filter((request) => request.startsWith(WEIGHTS)),
    [WEIGHTS, `${WEIGHTS} bytes=${SILENCE}-`],
  );
}

describe('Download a Model', () => {
  const { scenario, hub } = downloadSuite();

  scenario('cancelled, gone on with by the next call, and offered by the wizard', async (workbench) => {
    const directory = path.join(workbench.folder, NAME);
    const command = 'ChatGLM: Download a Model';
    await workbench.open();
    await start(workbench, command, hub(), 'download');
    const progress = await notification(workbench, `Downloading ${REPOSITORY}: 3 of 7 MB`);
    await workbench.screenshot('download-progress');
    await press(progress, 'Cancel');
    await notification(workbench, `The download of ${REPOSITORY} was cancelled.`);
    await workbench.screenshot('download-cancelled');
    assert.ok(!existsSync(path.join(directory, WEIGHTS)), 'nothing half-written has the final name');

    await start(workbench, command, hub());
    const done = await notification(workbench, 'was downloaded and checked');
    await workbench.screenshot('download-done');
    checkDirectory(directory, hub());

    await press(done, 'Fine-tune ChatGLM');
    await workbench.quickPickRow(NAME).filter({ hasText: 'ChatGLM3' }).first().waitFor({ timeout: PATIENCE });
    await workbench.screenshot('download-wizard');
    await workbench.pick(NAME);
    await workbench.page.locator('.quick-input-title', { hasText: '2/4' }).waitFor({ timeout: PATIENCE });
  });
});

describe('Download a Model in Simplified Chinese', () => {
  const { scenario, hub } = downloadSuite({ locale: 'zh-cn' });
  const sentences = translations('l10n/bundle.l10n.zh-cn.json');
  const sentence = (english: string, values: Record<string, string> = {}): string =>
    Object.entries(values).reduce(
      (text, [name, value]) => text.replace(`{${name}}`, value),
      sentences[english] ?? assert.fail(english),
    );

  scenario('cancelled and gone on with from the notification', async (workbench) => {
    const directory = path.join(workbench.folder, NAME);
    const title = translations('package.nls.zh-cn.json')['command.downloadModel'] ?? '';
    await workbench.open();
    await start(workbench, `ChatGLM: ${title}`, hub(), 'download-zh-cn');
    const doing = sentence('Downloading {repository}', { repository: REPOSITORY });
    const amount = sentence('{received} of {total} MB', { received: '3', total: '7' });
    const progress = await notification(workbench, `${doing}: ${amount}`);
    await workbench.screenshot('download-zh-cn-progress');
    await press(progress, 'Cancel');
    const cancelled = await notification(
      workbench,
      sentence('The download of {repository} was cancelled. What is here already is kept.', {
        repository: REPOSITORY,
      }),
    );
    await press(cancelled, sentence('Go On'));
    await notification(workbench, sentence('{directory} was downloaded and checked.', { directory }));
    await workbench.screenshot('download-zh-cn-done');
    checkDirectory(directory, hub());
  });
});
