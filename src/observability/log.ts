import { trace } from '@opentelemetry/api';
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';

export type { Logger };

/** Where something is traced, each line says which trace and span it belongs to. */
const mixin = (): object => {
  const context = trace.getActiveSpan()?.spanContext();
  return context === undefined ? {} : { traceId: context.traceId, spanId: context.spanId };
};

/**
 * Writes the lines of one turn of the event loop together, at its end or with the process: with many images at once a
 * system call for each line is what a consumer spends most of its time on.
 */
export const linesTogether = (to: { write(text: string): void }): { write(line: string): void } => {
  let lines = '';
  const flush = (): void => {
    if (lines !== '') to.write(lines);
    lines = '';
  };
  process.once('exit', flush);
  return {
    write(line) {
      if (lines === '') setImmediate(flush);
      lines += line;
    },
  };
};

/**
 * JSON lines on stdout, or readable ones on a terminal (NO_COLOR is honoured). Lines about an image carry
 * `imageId`, and `traceId` where traces are exported. `format` auto: readable if stdout is a terminal.
 */
export const createLog = (level: string, format: 'auto' | 'pretty' | 'json'): Logger => {
  const terminal = process.stdout.isTTY === true;
  const options = {
    level,
    base: null,
    mixin,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format === 'json' || (format === 'auto' && !terminal)) {
    return pino(options, linesTogether(pino.destination({ dest: 1, sync: true })));
  }
  const colorize = terminal && !process.env.NO_COLOR;
  return pino(options, pretty({ sync: true, colorize, translateTime: 'SYS:HH:MM:ss.l', singleLine: true }));
};

/** For commands whose stdout is their answer: warnings and worse, on stderr. */
export const createCommandLog = (): Logger =>
  pino(
    { level: 'warn', base: null },
    pretty({
      destination: 2,
      sync: true,
      colorize: process.stderr.isTTY === true && !process.env.NO_COLOR,
      singleLine: true,
      ignore: 'time',
    }),
  );
