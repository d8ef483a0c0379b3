import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { controlRun, runLiveness } from '../../../src/host/runs/liveness';

describe('process of a run', () => {
  let directory: string;
  let server: Server | null;

  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'glmtune-live-'));
    server = null;
  });

  afterEach(() => {
    server?.close();
    rmSync(directory, { recursive: true });
  });

  const socket = (): string => path.join(directory, 's');
  const writeProcessFile = (pid: number): void =>
    writeFileSync(
      path.join(directory, 'process.json'),
      JSON.stringify({ pid, started: '', socket: socket() }),
    );

  /** A control socket that answers in two pieces, as a network may. */
  async function listen(): Promise<void> {
    server = createServer((connection) => {
      connection.on('error', () => undefined);
      connection.on('data', (data: Buffer) => {
        const { id, method } = JSON.parse(data.toString()) as { id: number; method: string };
        const state = method === 'stop' ? 'stopping' : 'training';
        const reply = JSON.stringify({ id, result: { state, step: 3 } });
        connection.write(reply.slice(0, 10));
        setTimeout(() => connection.write(`${reply.slice(10)}\n`), 5);
      });
    });
    await new Promise<void>((resolve) => server?.listen(socket(), resolve));
  }

  it('is dead without a process file', async () => {
    assert.equal(await runLiveness(directory), 'dead');
  });

  it('is dead where the id was reused but nobody listens', async () => {
    writeProcessFile(process.pid);
    assert.equal(await runLiveness(directory), 'dead');
  });

  it('is alive where the socket accepts, and does as it is told', async () => {
    await listen();
    writeProcessFile(process.pid);
    assert.equal(await runLiveness(directory), 'alive');
    assert.deepEqual(await controlRun(directory, 'stop'), { id: 1, result: { state: 'stopping', step: 3 } });
  });

  it('rejects a request that nobody can answer', async () => {
    writeProcessFile(process.pid);
    await assert.rejects(controlRun(directory, 'stop'));
  });
});
