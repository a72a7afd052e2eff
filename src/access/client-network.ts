import { isIP } from 'node:net';

/** The eight groups of an IPv6 address, each in hex without leading zeros. */
const groupsOf = (address: string): string[] => {
  // As a URL it is written in one way only, also what ends in an IPv4 address.
  const { hostname } = new URL(`http://[${address}]`);
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  if (tail === undefined) return groups(head);
  const [before, after] = [groups(head), groups(tail)];
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
};

/**
 * What stands for one client when its requests are counted: an IPv4 address, also one that IPv6 carries
 * (`::ffff:192.0.2.1`), or the /64 network of an IPv6 address, as that is what a single host is given. What is no
 * address (a proxy forwards what it likes) is all one client.
 */
export const clientNetwork = (address: string): string => {
  const [ip = ''] = address.split('%');
  const version = isIP(ip);
  if (version === 0) return 'unknown';
  if (version === 4) return ip;
  const groups = groupsOf(ip);
  if (groups.slice(0, 6).join(':') !== '0:0:0:0:0:ffff') return `${groups.slice(0, 4).join(':')}::/64`;
  const bytes = groups.slice(6).flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
  return bytes.join('.');
};
