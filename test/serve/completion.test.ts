import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { gantry } from './run-gantry.ts';

const run = promisify(execFile);

suite('completion', () => {
  let folder: string;
  const scripts: Record<string, string> = {};
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gantry-completion-'));
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { out, code } = await gantry(['completion', shell]);
      assert.equal(code, 0);
      scripts[shell] = join(folder, `gantry.${shell}`);
      await writeFile(scripts[shell], out);
    }
    await writeFile(join(folder, 'cat.jpg'), '');
  });
  after(() => rm(folder, { recursive: true }));

  /** What is typed (the last word is being completed), and some of what must and must not be offered. */
  const cases: readonly [line: string, offered: readonly string[], not: readonly string[]][] = [
    ['gantry ', ['upload', 'images', 'completion'], ['list', 'cat.jpg']],
    ['gantry im', ['images'], ['upload']],
    ['gantry images ', ['list', 'show', 'delete', 'reprocess'], ['upload']],
    ['gantry images list --st', ['--state'], ['--label', 'list']],
    ['gantry images list --state ', ['succeeded', 'dead'], ['--label']],
    ['gantry upload --w', ['--wait'], ['--json']],
    ['gantry completion ', ['bash', 'zsh', 'fish'], ['upload']],
  ];

  const judge = (line: string, found: readonly string[]): void => {
    const [, offered = [], not = []] = cases.find(([typed]) => typed === line) ?? [];
    for (const word of offered) assert.ok(found.includes(word), `${line}: no ${word} in ${found}`);
    for (const word of not) assert.equal(found.includes(word), false, `${line}: ${word} in ${found}`);
  };

  test('bash', async () => {
    for (const [line] of cases) {
      const words = line.split(' ');
      const ask = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gantry; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const { stdout } = await run('bash', ['-c', ask, 'bash', scripts.bash ?? '', ...words], {
        cwd: folder,
      });
      judge(line, stdout.trim().split('\n'));
    }
    // Nothing of ours: bash itself completes files then.
    const ask = `source "$1"; COMP_WORDS=(gantry upload ''); COMP_CWORD=2; _gantry; echo "\${#COMPREPLY[@]}"; complete -p gantry`;
    const { stdout } = await run('bash', ['-c', ask, 'bash', scripts.bash ?? '']);
    assert.match(stdout, /^0\ncomplete -o default -F _gantry gantry/);
  });

  test('fish', async () => {
    for (const [line] of cases) {
      const ask = 'source $argv[1]; complete -C $argv[2]';
      const { stdout } = await run('fish', ['-N', '-c', ask, scripts.fish ?? '', line], {
        cwd: folder,
        env: { ...process.env, HOME: folder },
      });
      judge(
        line,
        stdout.split('\n').map((entry) => entry.split('\t')[0] ?? ''),
      );
    }
  });

  test('zsh', async () => {
    // Without a terminal zsh does not complete: what the function offers is caught instead.
    const ask = `
      compdef() { }
      _files() { offered+=(cat.jpg) }
      compadd() { shift; offered+=("$@") }
      _describe() { for entry in "\${(@)entries}"; do offered+=("\${entry%%:*}"); done }
      source $1; shift
      words=("$@") CURRENT=$#
      offered=(); _gantry
      print -l -- "\${(@M)offered:#\${words[CURRENT]}*}"`;
    for (const [line] of cases) {
      const { stdout } = await run('zsh', ['-fc', ask, 'zsh', scripts.zsh ?? '', ...line.split(' ')], {
        cwd: folder,
      });
      judge(line, stdout.trim().split('\n'));
    }
  });

  test('a shell that is none', async () => {
    const { err, code } = await gantry(['completion', 'tcsh']);
    assert.match(err, /Allowed choices are bash, zsh, fish/);
    assert.equal(code, 2);
  });
});
