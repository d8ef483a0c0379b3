/** Which process works in a run directory, and a connection to it. */
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import type { ProcessFile } from '../protocol/control';
import { PROCESS_FILE } from '../protocol/runDirectory';
import { processExists } from './processExists';

/** A process busy with a long step still accepts connections. */
const CONNECT_MS = 3_000;

/** The process that works in `directory`; null where none does (its file may have outlived it). */
export async function livingProcess(directory: string): Promise<ProcessFile | null> {
  const file = await readProcessFile(directory);
  if (!file || !processExists(file.pid)) return null;
  // Process ids are reused, the socket of a run is not: only its own process accepts a connection.
  const socket = await openControl(file.socket).catch(() => null);
  socket?.destroy();
  return socket ? file : null;
}

/** `process.json` of a run directory; null where there is none (the run has ended) or it is not whole. */
export async function readProcessFile(directory: string): Promise<ProcessFile | null> {
  const text = await readFile(path.join(directory, PROCESS_FILE), 'utf8').catch(() => '');
  return parseProcessFile(text);
}

export function parseProcessFile(text: string): ProcessFile | null {
  try {
    const value = JSON.parse(text) as Partial<ProcessFile> | null;
    return typeof value?.pid === 'number' && typeof value.socket === 'string' ? (value as ProcessFile) : null;
  } catch {
    return null;
  }
}

/** Connects to a run's socket. Rejects where nobody answers. */
export function openControl(address: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('timeout')));
    socket.once('connect', () => {
      socket.setTimeout(0);
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
