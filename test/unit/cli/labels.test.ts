/** `labels`: what it prints for a screen, for programs, and for lines that give no row. */
import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import { runProgram } from '../../../src/cli/program';
import { fixture } from '../fixtures';
import { temporaryDirectory, testContext, type TestContext } from './support';

/** A model directory without weights. */
function writeModel(directory: string): void {
  copyFileSync(fixture('models/chatglm3/config.json'), path.join(directory, 'config.json'));
  copyFileSync(fixture('tokenizers/chatglm3/tokenizer.model'), path.join(directory, 'tokenizer.model'));
}

async function run(lines: string[], args: string[], json = false): Promise<[TestContext, number]> {
  using directory = temporaryDirectory();
  writeModel(directory.path);
  const data = path.join(directory.path, 'data.jsonl');
  writeFileSync(data, lines.join('\n'));
  const context = testContext({ json });
  const code = await runProgram(context, ['labels', data, '--model', directory.path, ...args]);
  return [context, code];
}

const two = JSON.stringify({
  messages: [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: 'b' },
    { role: 'user', content: '𠮷\u001b[31m' },
    { role: 'assistant', content: 'd' },
  ],
});
const long = JSON.stringify({ prompt: '长'.repeat(2000), response: 'a' });

describe('labels', () => {
  it('marks what is trained, without colour too', async () => {
    const [{ stdout, stderr }, code] = await run([two], []);
    assert.equal(code, 0);
    const [head, ...rows] = stdout.lines;
    assert.match(head, /^Line 1: \d+ tokens, 8 trained$/);
    assert.deepEqual(
      rows.map((row) => row.replace(/ +/g, ' ')),
      [
        ' - format [gMASK] sop',
        ' - format #1 <|user|> ▁ <0x0A>',
        ' - user #1 ▁a',
        ' - format #2 <|assistant|>',
        ' + format #2 ▁ <0x0A>',
        ' + assistant #2 ▁b',
        ' + format #3 <|user|>',
        ' - format #3 ▁ <0x0A>',
        ' - user #3 ▁ <0xF0> <0xA0> <0xAE> <0xB7> <0x1B> [ 3 1 m',
        ' - format #4 <|assistant|>',
        ' + format #4 ▁ <0x0A>',
        ' + assistant #4 ▁d',
        ' + format #4 </s>',
      ],
    );
    assert.ok(!stdout.text.includes('\u001b'));
    assert.match(stderr.text, /\+ trained/);
  });

  it('trains the last answer alone with --mask-history', async () => {
    const [{ stdout }] = await run([two], ['--mask-history']);
    const trained = stdout.lines.filter((line) => line.startsWith('  +'));
    assert.ok(trained.length > 0 && trained.every((line) => line.includes('#4')));
  });

  it('writes one object a row with --json', async () => {
    const [{ stdout }, code] = await run([two, '{', '', long], ['--json'], true);
    assert.equal(code, 0);
    const rows = stdout.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      rows.map((row) => [row.line, row.dropped, row.trained]),
      [
        [1, undefined, 8],
        [2, 'glm/truncated-record', undefined],
        [4, 'tooLong', undefined],
      ],
    );
    const tokens = rows[0].tokens as { text: string; role: string; message_index: number | null }[];
    assert.equal(
      tokens.map((token) => token.text).join(''),
      '[gMASK]sop<|user|>\n a<|assistant|>\n b<|user|>\n 𠮷\u001b[31m<|assistant|>\n d',
    );
    assert.deepEqual(tokens[0].message_index, null);
  });

  it('shows the line that is asked for, and says where there is none', async () => {
    const [shown, code] = await run([long, two], ['--line', '2']);
    assert.equal(code, 0);
    assert.match(shown.stdout.text, /^Line 2: /);
    const [long1] = await run([long, two], ['--line', '1']);
    assert.match(long1.stdout.text, /^Line 1: left out: its question leaves no room/);
    const [missing, failed] = await run([two, '', two], ['--line', '2']);
    assert.equal(failed, 1);
    assert.match(missing.stderr.text, /no row in line 2/);
  });

  it('shows five rows unless more are asked for', async () => {
    const lines = Array<string>(7).fill(two);
    const heads = ({ stdout }: TestContext): number =>
      stdout.lines.filter((line) => /^Line/.test(line)).length;
    const [few] = await run(lines, []);
    assert.equal(heads(few), 5);
    assert.match(few.stderr.text, /more rows/);
    assert.equal(heads((await run(lines, ['--max-rows', '6']))[0]), 6);
    assert.equal((await run(lines, ['--json'], true))[0].stdout.lines.length, 7);
  });
});
