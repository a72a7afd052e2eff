export type Version = {
  /** As in package.json: 1.2.3, 1.2.3-rc.1. */
  full: string;
  /** 1.2 */
  minor: string;
  /** Whether it comes before the version that it is named after. */
  toBeTried: boolean;
};

/** The version in a tag such as v1.2.3 or v1.2.3-rc.1 (semver.org, without build metadata); undefined for any other. */
export const versionOfTag = (tag: string): Version | undefined => {
  const [, minor, patch, trial] = /^v(\d+\.\d+)\.(\d+)(-[0-9a-z]+(?:[.-][0-9a-z]+)*)?$/.exec(tag) ?? [];
  if (minor === undefined) return undefined;
  return { full: `${minor}.${patch}${trial ?? ''}`, minor, toBeTried: trial !== undefined };
};
