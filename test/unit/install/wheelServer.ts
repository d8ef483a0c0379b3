/** A package index with wheels, on this machine, with the weaknesses that real servers have. */
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface ServerOptions {
  /** Files by name, all of the project `fake-engine`. */
  files: Map<string, Buffer>;
  format?: 'json' | 'html';
  ranges?: boolean;
  /** After so many bytes of a body the connection is cut, as often as the number of entries. */
  drops?: number[];
  /** Statuses of the first answers for files. */
  statuses?: number[];
  authorization?: string;
}

export interface WheelServer {
  indexUrl: string;
  port: number;
  /** `method path range` of every request. */
  requests: string[];
  /** Bytes of file bodies that were sent. */
  sentBytes(): number;
  options: ServerOptions;
}

export async function startServer(context: TestContext, options: ServerOptions): Promise<WheelServer> {
  const requests: string[] = [];
  let sent = 0;
  const server = http.createServer((request, response) => {
    const url = new URL(request.url!, 'http://index');
    requests.push(`${request.method} ${url.pathname} ${request.headers.range ?? ''}`.trim());
    if (options.authorization && request.headers.authorization !== options.authorization) {
      response.writeHead(401).end();
    } else if (url.pathname === '/simple/fake-engine/') sendPage(response, options);
    else {
      const body = options.files.get(decodeURIComponent(url.pathname.replace('/files/', '')));
      if (body) sent += sendFile(request, response, body, options);
      else response.writeHead(404).end('not here');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { indexUrl: `http://127.0.0.1:${port}/simple`, port, requests, sentBytes: () => sent, options };
}

function sendPage(response: http.ServerResponse, { files, format }: ServerOptions): void {
  const names = ['other-1.0.whl', ...files.keys()];
  if (format === 'html') {
    const links = names.map(
      (name) => `<a href="../../files/${encodeURIComponent(name)}#sha256=00" data-x="1">${name}</a><br/>`,
    );
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<html><body>${links.join('\n')}</body></html>`);
    return;
  }
  const page = {
    files: names.map((filename) => ({ filename, url: `/files/${encodeURIComponent(filename)}` })),
  };
  response
    .writeHead(200, { 'content-type': 'application/vnd.pypi.simple.v1+json' })
    .end(JSON.stringify(page));
}

/** @returns bytes of the body that were sent */
function sendFile(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  file: Buffer,
  options: ServerOptions,
): number {
  const status = options.statuses?.shift();
  if (status) {
    response.writeHead(status).end();
    return 0;
  }
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const ranged = range !== null && options.ranges !== false;
  const start = ranged ? Number(range[1]) : 0;
  if (start >= file.length) {
    response.writeHead(416).end();
    return 0;
  }
  const end = ranged && range[2] ? Math.min(Number(range[2]) + 1, file.length) : file.length;
  const body = file.subarray(start, end);
  const headers: http.OutgoingHttpHeaders = { 'content-length': body.length };
  if (ranged) headers['content-range'] = `bytes ${start}-${end - 1}/${file.length}`;
  response.writeHead(ranged ? 206 : 200, headers);
  const drop = options.drops?.[0] ?? Infinity;
  if (body.length <= drop) {
    response.end(body);
    return body.length;
  }
  options.drops!.shift();
  response.write(body.subarray(0, drop), () => setTimeout(() => response.destroy(), 60));
  return drop;
}

export const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
