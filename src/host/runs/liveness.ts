/** Whether the process of a run lives, and how to speak with it. */
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import type { ControlMethod, ControlReply, ControlRequest, ProcessFile } from '../../protocol/control';
import { PROCESS_FILE } from '../../protocol/runDirectory';
import { LineBuffer } from '../process/lines';
import type { Liveness } from './runState';

/** A process busy with a long step still accepts connections; its answer may take a while. */
const CONNECT_MS = 3_000;
const REPLY_MS = 30_000;

/** `process.json` of a run directory; null where there is none (the run has ended) or it is not whole. */
export async function readProcessFile(runDirectory: string): Promise<ProcessFile | null> {
  try {
    const value = JSON.parse(await readFile(path.join(runDirectory, PROCESS_FILE), 'utf8')) as ProcessFile;
    return typeof value.pid === 'number' && typeof value.socket === 'string' ? value : null;
  } catch {
    return null;
  }
}

/** Alive: the process id exists and the run's own socket accepts a connection (ids are reused, sockets are not). */
export async function runLiveness(runDirectory: string): Promise<Liveness> {
  const file = await readProcessFile(runDirectory);
  if (!file) return 'dead';
  if (!processExists(file.pid)) return 'dead';
  const socket = await open(file.socket).catch(() => null);
  socket?.destroy();
  return socket ? 'alive' : 'dead';
}

export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Sends one request to a training process. Rejects where nobody answers. */
export async function controlRun(runDirectory: string, method: ControlMethod): Promise<ControlReply> {
  const file = await readProcessFile(runDirectory);
  if (!file) throw new Error('no process');
  const socket = await open(file.socket);
  try {
    return await request(socket, { id: 1, method });
  } finally {
    socket.destroy();
  }
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('timeout')));
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

function request(socket: Socket, message: ControlRequest): Promise<ControlReply> {
  return new Promise((resolve, reject) => {
    const lines = new LineBuffer();
    const timer = setTimeout(() => reject(new Error('timeout')), REPLY_MS);
    socket.on('data', (chunk: Buffer) => {
      for (const line of lines.push(chunk)) {
        const reply = parseReply(line);
        if (reply?.id !== message.id) continue;
        clearTimeout(timer);
        resolve(reply);
      }
    });
    const fail = (error?: Error): void => {
      clearTimeout(timer);
      reject(error ?? new Error('closed'));
    };
    socket.once('error', fail);
    socket.once('close', () => fail());
    socket.write(`${JSON.stringify(message)}\n`);
  });
}

function parseReply(line: string): ControlReply | null {
  try {
    return JSON.parse(line) as ControlReply;
  } catch {
    return null;
  }
}
