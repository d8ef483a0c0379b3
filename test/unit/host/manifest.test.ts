import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  COMMANDS,
  CONFIGURATION,
  RUN_CONTEXT,
  RUN_PANEL,
  SETTINGS,
  VIEWS,
  WALKTHROUGH,
} from '../../../src/host/names';
import { SAMPLING_RANGES } from '../../../src/protocol/webview';

interface Manifest {
  activationEvents: string[];
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: {
    commands: { command: string; icon?: string }[];
    menus: Record<string, { command: string; when?: string }[]>;
    configuration: { properties: Record<string, { minimum?: number; maximum?: number }> }[];
    viewsContainers: { activitybar: { id: string; icon: string }[] };
    views: Record<string, { id: string; icon: string }[]>;
    viewsWelcome: { view: string; contents: string }[];
    walkthroughs: { id: string; steps: { media: { svg: string } }[] }[];
  };
}

const text = readFileSync('package.json', 'utf8');
const manifest = JSON.parse(text) as Manifest;
const { contributes } = manifest;
const strings = (file: string): Record<string, string> =>
  JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
const english = strings('package.nls.json');
const chinese = strings('package.nls.zh-cn.json');

const sorted = (values: Iterable<string>): string[] => [...values].sort();

describe('package.json', () => {
  it('contributes exactly the commands the code knows', () => {
    assert.deepEqual(
      sorted(contributes.commands.map(({ command }) => command)),
      sorted(Object.values(COMMANDS)),
    );
  });

  it('contributes exactly the settings the code knows', () => {
    const keys = contributes.configuration.flatMap(({ properties }) => Object.keys(properties));
    assert.deepEqual(sorted(keys), sorted(Object.values(SETTINGS).map((key) => `${CONFIGURATION}.${key}`)));
  });

  it('contributes the views, their container, the walkthrough and the panel', () => {
    const container = contributes.viewsContainers.activitybar[0];
    assert.equal(container?.id, VIEWS.container);
    const views = contributes.views[VIEWS.container]?.map(({ id }) => id);
    assert.deepEqual(views, [VIEWS.runs, VIEWS.chat]);
    assert.equal(contributes.walkthroughs[0]?.id, WALKTHROUGH);
    assert.ok(manifest.activationEvents.includes(`onWebviewPanel:${RUN_PANEL}`));
  });

  it('uses only known commands, views and item contexts in menus', () => {
    const commands = new Set<string>(Object.values(COMMANDS));
    const contexts = new Set<string>(Object.values(RUN_CONTEXT));
    for (const item of Object.values(contributes.menus).flat()) {
      assert.ok(commands.has(item.command), item.command);
      const used = /viewItem == ([\w.]+)/.exec(item.when ?? '')?.[1];
      assert.ok(used === undefined || contexts.has(used), item.when);
    }
    const welcome = contributes.viewsWelcome.map(({ contents }) => english[contents.slice(1, -1)] ?? '');
    for (const [, command] of welcome.join('\n').matchAll(/command:(glmtune\.[\w.]+)/g)) {
      assert.ok(commands.has(command ?? ''), command);
    }
  });

  it('gives every item the icon that its menu shows', () => {
    const icons = new Map(contributes.commands.map(({ command, icon }) => [command, icon]));
    for (const [menu, items] of Object.entries(contributes.menus)) {
      for (const { command, ...item } of items) {
        const group = (item as { group?: string }).group ?? '';
        if (/^(navigation|inline)/.test(group) && menu !== 'explorer/context') {
          assert.ok(icons.get(command), `${command} in ${menu} has no icon`);
        }
      }
    }
  });

  it('restricts every machine setting in an untrusted workspace', () => {
    const machine = Object.values(SETTINGS).filter((key) => /^(engine|download)\./.test(key));
    assert.deepEqual(
      sorted(manifest.capabilities.untrustedWorkspaces.restrictedConfigurations),
      sorted(machine.map((key) => `${CONFIGURATION}.${key}`)),
    );
  });

  it('allows in settings what the chat view allows', () => {
    const properties = Object.assign(
      {},
      ...contributes.configuration.map((block) => block.properties),
    ) as Record<string, { minimum?: number; maximum?: number }>;
    const keys: Record<keyof typeof SAMPLING_RANGES, string> = {
      temperature: SETTINGS.chatTemperature,
      top_p: SETTINGS.chatTopP,
      top_k: SETTINGS.chatTopK,
      repetition_penalty: SETTINGS.chatRepetitionPenalty,
      max_new_tokens: SETTINGS.chatMaxNewTokens,
      seed: SETTINGS.chatSeed,
    };
    for (const [field, key] of Object.entries(keys)) {
      const [least, most] = SAMPLING_RANGES[field as keyof typeof SAMPLING_RANGES];
      const setting = properties[`${CONFIGURATION}.${key}`];
      assert.deepEqual([setting?.minimum, setting?.maximum], [least, most], key);
    }
  });

  it('ships every picture it names', () => {
    const pictures = [
      ...contributes.viewsContainers.activitybar.map(({ icon }) => icon),
      ...Object.values(contributes.views).flatMap((views) => views.map(({ icon }) => icon)),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.svg)),
      'media/icons/run-light.svg',
      'media/icons/run-dark.svg',
    ];
    for (const picture of pictures) assert.ok(existsSync(picture), picture);
  });

  it('has every string in English and Chinese, and no other', () => {
    const used = new Set([...text.matchAll(/"%([\w.-]+)%"/g)].map((match) => match[1] ?? ''));
    assert.deepEqual(sorted(Object.keys(english)), sorted(used));
    assert.deepEqual(sorted(Object.keys(chinese)), sorted(used));
  });
});
