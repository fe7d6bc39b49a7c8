// The four figures of the house: circles, upward imports, crowded folders, long parameter lists. All are 0.
import { circlesOf, directionComplaints, importComplaints, serviceComplaints } from './imports.ts';
import { folderComplaints, parameterComplaints } from './shape.ts';
import { filesOf, type Source, sourcesOf } from './sources.ts';

export const productFolders = [
  'shared',
  'functions',
  'cli',
  'build',
  'lab',
  'live',
  'bench',
  'resources',
  'runbook',
] as const;
export const allFolders = [...productFolders, 'notify', 'events', 'docs', 'test'] as const;

/** Where sentences are for people alone. The rows of bench/ are found by the names that they print. */
export const speaking = (): readonly Source[] =>
  productFolders.filter((folder) => folder !== 'bench').flatMap((folder) => sourcesOf(folder));
export const product = (): readonly Source[] => productFolders.flatMap((folder) => sourcesOf(folder));
export const everything = (): readonly Source[] => [...product(), ...sourcesOf('test')];

export interface Figure {
  readonly rule: string;
  readonly complaints: readonly string[];
}

export function figures(): readonly Figure[] {
  const sources = everything();
  return [
    { rule: 'circles of files, types included', complaints: circlesOf(sources).map((c) => c.join(' → ')) },
    {
      rule: 'imports against the rows',
      complaints: sources.flatMap((source) => [
        ...importComplaints(source),
        ...serviceComplaints(source),
        ...directionComplaints(source),
      ]),
    },
    {
      rule: 'folders with more than 13 files, lists excepted',
      complaints: folderComplaints(allFolders.flatMap((folder) => filesOf(folder))),
    },
    { rule: 'functions with more than 4 parameters', complaints: sources.flatMap(parameterComplaints) },
  ];
}
