import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KubernetesObject } from './helm.ts';
import { pythonProgram, runProgram } from './programs.ts';

/** A rendering to scan; its name is a DNS label and unique. */
export type Rendered = { name: string; objects: KubernetesObject[] };

/** A practice that an object does not follow. */
export type Finding = { rendering: string; object: string; check: string; advice: string };

/** A finding that is meant to be: the check, the objects (`Kind/name`), and why. */
export type Exception = { check: string; objects: string[]; reason: string };

type Report = {
  results: { failed_checks: { check_id: string; check_name: string; resource: string }[] };
  summary: { parsing_errors: number; resource_count: number };
};

// checkov looks for the policies of a pod in its namespace, so each rendering has one of its own.
const scannable = ({ name, objects }: Rendered): string =>
  objects
    .map((object) => stringify({ ...object, metadata: { ...object.metadata, namespace: name } }))
    .join('---\n');

/** Scans the renderings for bad practice. */
export const scan = async (renderings: Rendered[]): Promise<Finding[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-scan-'));
  try {
    for (const rendered of renderings)
      writeFileSync(join(folder, `${rendered.name}.yaml`), scannable(rendered));
    const { code, output, errors } = await runProgram(pythonProgram('checkov'), [
      ...['--directory', folder, '--framework', 'kubernetes', '--output', 'json'],
      ...['--skip-download', '--soft-fail', '--compact', '--quiet'],
    ]);
    const report: Report | undefined = code === 0 ? JSON.parse(output) : undefined;
    if (!report?.summary.resource_count || report.summary.parsing_errors > 0) {
      throw Object.assign(new Error(`checkov failed: ${errors || output}`), { code: 'CHECK_FAILED' });
    }
    return report.results.failed_checks.map(({ check_id, check_name, resource }) => {
      const [kind, rendering, ...name] = resource.split('.');
      return {
        rendering: rendering ?? '',
        object: `${kind}/${name.join('.')}`,
        check: check_id,
        advice: check_name,
      };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** The findings that no exception explains, and the exceptions that nothing needs any more. */
export const compareWith = (
  exceptions: Exception[],
  findings: Finding[],
): { unexplained: Finding[]; unneeded: string[] } => {
  const explains = (exception: Exception, object: string, finding: Finding): boolean =>
    exception.check === finding.check && object === finding.object;
  return {
    unexplained: findings.filter(
      (finding) =>
        !exceptions.some((exception) =>
          exception.objects.some((object) => explains(exception, object, finding)),
        ),
    ),
    unneeded: exceptions.flatMap((exception) =>
      exception.objects
        .filter((object) => !findings.some((finding) => explains(exception, object, finding)))
        .map((object) => `${exception.check} for ${object}`),
    ),
  };
};
