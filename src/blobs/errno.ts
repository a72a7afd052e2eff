/** The system's name of an error, such as `ENOENT`; undefined for one that is not the system's. */
export const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException | undefined)?.code;
