/** Processes that are watched: their lines, their memory, their failures. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runMeasured } from '../../bench/harness/measuredProcess';

const node = (program: string): [string, string[]] => [process.execPath, ['-e', program]];

describe('measured process', () => {
  it('hands over lines with their times, and answers them', async () => {
    const seen: string[] = [];
    const program = `process.stdin.on('data', (text) => { console.log('heard ' + String(text).trim()); process.exit(); });
      console.log('ready');`;
    const { lines } = await runMeasured(...node(program), {
      onLine({ text }, send) {
        seen.push(text);
        if (text === 'ready') send('hello');
      },
    });
    assert.deepEqual(seen, ['ready', 'heard hello']);
    assert.ok(lines[0].at <= lines[1].at);
  });

  it('measures the memory that a process takes', { skip: process.platform !== 'linux' }, async () => {
    const program = 'const block = Buffer.alloc(200e6, 1); setTimeout(() => block.length, 400);';
    const { peak } = await runMeasured(...node(program));
    assert.ok(peak > 200e6 && peak < 400e6, `${peak} bytes`);
  });

  it('fails with the end of the output of what failed', async () => {
    const program = "console.error('out of kernels'); process.exit(3);";
    await assert.rejects(runMeasured(...node(program)), /exit code 3[^]*out of kernels/);
  });

  it('ends what takes too long, and what said something wrong', async () => {
    const endless = "console.log('ready'); setInterval(() => {}, 1000);";
    await assert.rejects(runMeasured(...node(endless), { limit: 0.5 }), /longer than/);
    const refuse = (): void => {
      throw new Error('refused');
    };
    await assert.rejects(runMeasured(...node(endless), { onLine: refuse }), /refused/);
  });
});
