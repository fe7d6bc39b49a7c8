// Command lines that contradict themselves are refused: an option with its own negation, and an option that does nothing
// without another one. Options that exclude each other declare it by commander's `conflicts`.
//
// Why here: of `--eip X --no-eip` commander keeps whichever came last, so half of what was asked for would be dropped
// silently.
import type { Command, Option } from 'commander';

const companions = new WeakMap<Option, string>();

/** Marks an option that says nothing without another one, named as its attribute. */
export function onlyWith(option: Option, companion: string): Option {
  companions.set(option, companion);
  return option;
}

export const companionOf = (option: Option): string | undefined => companions.get(option);

/** An option and its negation, such as `--eip` and `--no-eip`. */
export const negatedPairs = ({ options }: Command): readonly (readonly [Option, Option])[] =>
  options
    .filter((no) => no.negate)
    .flatMap((no) =>
      options
        .filter((yes) => !yes.negate && yes.attributeName() === no.attributeName())
        .map((yes) => [yes, no] as const),
    );

export function refuseContradictions(command: Command): void {
  const given = new Set<Option>();
  for (const option of negatedPairs(command).flat())
    command.on(`option:${option.name()}`, () => given.add(option));
  command.hook('preAction', (_parent, self) => {
    if (self !== command) return;
    for (const [yes, no] of negatedPairs(self))
      if (given.has(yes) && given.has(no))
        self.error(`error: option '${yes.flags}' cannot be used with option '${no.flags}'`);
    for (const option of self.options) {
      const companion = self.options.find((o) => o.attributeName() === companionOf(option));
      if (companion !== undefined && isGiven(self, option) && !isGiven(self, companion))
        self.error(`error: option '${option.flags}' does nothing without option '${companion.flags}'`);
    }
  });
}

const isGiven = (command: Command, option: Option): boolean =>
  command.getOptionValueSource(option.attributeName()) === 'cli';
