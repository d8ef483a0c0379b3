/** The local socket through which an editor asks about a run and stops it. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import type { ControlMethod, ControlReply, ControlRequest, RunState } from '../../protocol/control';

/** A request is some 40 bytes; a peer that sends more without a newline is not ours. */
const MAX_LINE = 65_536;
/** Unix socket paths are limited to 104 bytes on some systems. */
const MAX_SOCKET_PATH = 100;

const METHODS: readonly ControlMethod[] = ['status', 'stop', 'stopNow'];

/** Answers a request with the state after it. */
export type ControlHandler = (method: ControlMethod) => { state: RunState; step: number };

export class ControlServer {
  private readonly connections = new Set<Socket>();

  private constructor(
    /** Path of the socket, or name of the pipe. */
    readonly address: string,
    private readonly server: Server,
    private readonly privateDirectory: string | null,
  ) {}

  /** Listens in a new directory that only this user can enter (Windows: on a pipe with a name nobody can guess). */
  static async listen(handler: ControlHandler): Promise<ControlServer> {
    const windows = process.platform === 'win32';
    const directory = windows ? null : makePrivateDirectory();
    const address = directory ? path.join(directory, 'control.sock') : `\\\\.\\pipe\\glmtune-${randomUUID()}`;
    const server = createServer();
    const control = new ControlServer(address, server, directory);
    server.on('connection', (socket) => control.serve(socket, handler));
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(address, resolve);
      });
    } catch (error) {
      if (directory) rmSync(directory, { recursive: true, force: true });
      throw error;
    }
    // A connection that cannot be taken (no descriptors left) must not end the training.
    server.on('error', () => undefined);
    // The socket must not keep the process alive once the work is done.
    server.unref();
    return control;
  }

  /** Ends all connections after what was sent to them has left, and removes the socket. */
  async close(): Promise<void> {
    for (const connection of this.connections) connection.end();
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    const timer = setTimeout(() => {
      for (const connection of this.connections) connection.destroy();
    }, 500);
    await closed;
    clearTimeout(timer);
    this.removeFiles();
  }

  /** Removes what is on disk; safe in an exit handler. */
  removeFiles(): void {
    if (this.privateDirectory) rmSync(this.privateDirectory, { recursive: true, force: true });
  }

  private serve(socket: Socket, handler: ControlHandler): void {
    this.connections.add(socket);
    socket.unref();
    socket.setEncoding('utf8');
    let pending = '';
    socket.on('data', (chunk: string) => {
      pending += chunk;
      const lines = pending.split('\n');
      pending = lines.pop() ?? '';
      for (const line of lines) if (line.trim()) socket.write(`${JSON.stringify(answer(line, handler))}\n`);
      if (pending.length > MAX_LINE) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.connections.delete(socket));
  }
}

function answer(line: string, handler: ControlHandler): ControlReply {
  const request = parseRequest(line);
  if (!request) return { id: -1, error: { code: 'chat.badRequest', args: { detail: line.slice(0, 200) } } };
  if (!METHODS.includes(request.method))
    return { id: request.id, error: { code: 'chat.badRequest', args: { detail: String(request.method) } } };
  return { id: request.id, result: handler(request.method) };
}

function parseRequest(line: string): ControlRequest | null {
  try {
    const value = JSON.parse(line) as Partial<ControlRequest> | null;
    return typeof value?.id === 'number' ? (value as ControlRequest) : null;
  } catch {
    return null;
  }
}

function makePrivateDirectory(): string {
  const inside = (parent: string): string => path.join(parent, 'glmtune-XXXXXX', 'control.sock');
  const parent = inside(os.tmpdir()).length <= MAX_SOCKET_PATH ? os.tmpdir() : '/tmp';
  const directory = mkdtempSync(path.join(parent, 'glmtune-'));
  chmodSync(directory, 0o700);
  return directory;
}
