/** Names and passwords in addresses. */

/** Removes `user:password@` from an address: `fetch` refuses it, and it must not appear in messages. */
export function takeCredentials(url: URL): string | null {
  if (!url.username && !url.password) return null;
  const plain = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return `Basic ${Buffer.from(plain).toString('base64')}`;
}
