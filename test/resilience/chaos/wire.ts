import type { Predicate } from '../../services/tcp-proxy.ts';

/**
 * AMQP 0-9-1: a frame of 13 bytes with the method basic.ack (class 60, method 80): a confirm when the server sends it, the
 * end of a delivery when the client does. No JSON body has a zero byte.
 */
const acknowledgement = Buffer.from('0000000d003c0050', 'hex');

export const isAck: Predicate = (bytes) => bytes.includes(acknowledgement);

/** PostgreSQL's message CommandComplete for COMMIT (protocol 3.0): `C`, its length, the command's tag. */
const commandComplete = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1');

export const isCommitted: Predicate = (bytes) => bytes.includes(commandComplete);
