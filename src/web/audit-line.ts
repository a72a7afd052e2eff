import type { FastifyRequest } from 'fastify';

/** What a person or a program changed by hand. */
export type Change = 'delete' | 'reprocess' | 'replay' | 'discard';

/** The fields that make a log line one of the audit log: what was done, with which key, from where. */
export const auditLine = ({ apiKey, ip }: FastifyRequest, action: Change): object => ({
  audit: true,
  action,
  ...(apiKey === null ? {} : { keyId: apiKey.id }),
  address: ip,
});
