import type { Node } from './completion-tree.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const all = (texts: readonly string[], between: string): string => texts.map(quoted).join(between);

/** Lines of commands below the program, `gantry images`, `gantry images list`, ... */
const below = (tree: readonly Node[]): string[] => tree.slice(1).map(({ line }) => line);

/** For each command its flags that take a value: `gantry images list --state`. */
const valued = (tree: readonly Node[]) =>
  tree.flatMap(({ line, flags }) =>
    flags
      .filter(({ value }) => value)
      .map(({ names, choices }) => ({ lines: names.map((name) => `${line} ${name}`), choices })),
  );

const bash = (tree: readonly Node[]): string => {
  const values = valued(tree);
  const chosen = values.filter(({ choices }) => choices.length > 0);
  const free = values.filter(({ choices }) => choices.length === 0).flatMap(({ lines }) => lines);
  return `# bash completion for gantry: source <(gantry completion bash)
_gantry() {
  local current=\${COMP_WORDS[COMP_CWORD]} line=gantry index words flags
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$line \${COMP_WORDS[index]}" in
      ${all(below(tree), ' | ')})
        line="$line \${COMP_WORDS[index]}" ;;
    esac
  done
  case "$line \${COMP_WORDS[COMP_CWORD - 1]}" in
${chosen.map(({ lines, choices }) => `    ${all(lines, ' | ')}) words=${quoted(choices.join(' '))} ;;\n`).join('')}    ${all(free, ' | ')})
      return ;;
    *)
      case $line in
${tree
  .map(({ line, words, flags }) => {
    const first = words.map(({ name }) => name).join(' ');
    const long = flags.flatMap(({ names }) => names[0] ?? []).join(' ');
    return `        ${quoted(line)}) words=${quoted(first)} flags=${quoted(long)} ;;\n`;
  })
  .join('')}      esac ;;
  esac
  if [[ $current == -* ]]; then words=$flags; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
# Files where nothing of ours fits.
complete -o default -F _gantry gantry
`;
};

const described = (name: string, summary: string): string =>
  quoted(`${name.replaceAll(':', '\\:')}:${summary}`);

const zsh = (tree: readonly Node[]): string => {
  const values = valued(tree);
  return `#compdef gantry
# zsh completion for gantry: source <(gantry completion zsh)
_gantry() {
  local line=gantry index
  local -a entries
  for ((index = 2; index < CURRENT; index++)); do
    case "$line $words[index]" in
      (${all(below(tree), '|')})
        line="$line $words[index]" ;;
    esac
  done
  case "$line $words[CURRENT-1]" in
${values
  .map(({ lines, choices }) => {
    const what = choices.length > 0 ? `compadd -- ${choices.join(' ')}` : '_files';
    return `    (${all(lines, '|')}) ${what}; return ;;\n`;
  })
  .join('')}  esac
  case $line in
${tree
  .map(({ line, words, flags }) => {
    const entries = [
      ...words.map(({ name, summary }) => described(name, summary)),
      ...flags.map(({ names, summary }) => described(names[0] ?? '', summary)),
    ];
    return `    (${quoted(line)}) entries=(\n      ${entries.join('\n      ')}\n    ) ;;\n`;
  })
  .join('')}  esac
  if [[ $words[CURRENT] == -* || $line == ${all(
    tree.filter(({ words }) => words.length > 0).map(({ line }) => line),
    ' || $line == ',
  )} ]]; then
    _describe -V gantry entries
  else
    _files
  fi
}
if [[ $funcstack[1] == _gantry ]]; then _gantry "$@"; else compdef _gantry gantry; fi
`;
};

const fish = (tree: readonly Node[]): string => {
  const when = (line: string): string =>
    `complete -c gantry -n ${quoted(`test (__gantry_line) = "${line}"`)}`;
  return `# fish completion for gantry: gantry completion fish | source
function __gantry_line
  set -l line gantry
  for word in (commandline -opc)[2..]
    if contains -- "$line $word" ${all(below(tree), ' ')}
      set line "$line $word"
    end
  end
  echo $line
end
${tree
  .map(({ line, words, flags }) =>
    [
      ...words.map(({ name, summary }) => `${when(line)} -f -a ${name} -d ${quoted(summary)}`),
      ...flags.map(({ names, summary, value, choices }) => {
        const [long = '', letter] = names;
        const letters = letter === undefined ? '' : ` -s ${letter.slice(1)}`;
        const follows = choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : value ? ' -r' : '';
        return `${when(line)} -l ${long.slice(2)}${letters}${follows} -d ${quoted(summary)}`;
      }),
    ].join('\n'),
  )
  .join('\n')}
`;
};

/** For each shell, a script that completes the commands of a tree. */
export const completionScripts = { bash, zsh, fish };
