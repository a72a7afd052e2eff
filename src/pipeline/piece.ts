/** Larger files are uploaded in pieces and go on after a broken connection; for smaller ones the extra requests cost more. */
export const largeBytes = 8_000_000;

/**
 * Most bytes that a client sends in one request of such a file, and a server keeps as one part: what a killed process
 * can lose of it. With what one read of a connection brings on top it is still a single request to S3.
 */
export const pieceBytes = 8 * 2 ** 20 - 65_536;
