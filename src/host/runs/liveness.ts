/** Whether the process of a run lives, and how to speak with it. */
import type { Socket } from 'node:net';
import { livingProcess, openControl, readProcessFile } from '../../process/livingProcess';
import type { ControlMethod, ControlReply, ControlRequest } from '../../protocol/control';
import { LineBuffer } from '../process/lines';
import type { Liveness } from './runState';

/** A process busy with a long step answers after it. */
const REPLY_MS = 30_000;

/** Whether the run's own process is there. */
export async function runLiveness(runDirectory: string): Promise<Liveness> {
  return (await livingProcess(runDirectory)) ? 'alive' : 'dead';
}

/** Sends one request to a training process. Rejects where nobody answers. */
export async function controlRun(runDirectory: string, method: ControlMethod): Promise<ControlReply> {
  const file = await readProcessFile(runDirectory);
  if (!file) throw new Error('no process');
  const socket = await openControl(file.socket);
  try {
    return await request(socket, { id: 1, method });
  } finally {
    socket.destroy();
  }
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
