import { setFlagsFromString } from 'node:v8';

/**
 * Lets the heap grow to three times what was in use before V8 searches it again. V8 counts to it the bytes of every
 * upload that has not been collected yet, and would otherwise search a server's heap, some 40 MB, every fifty
 * uploads: a tenth of its processor time. To be called early; a limit of the heap holds all the same.
 */
export const searchHeapSeldom = (): void => setFlagsFromString('--heap-growing-percent=200');
