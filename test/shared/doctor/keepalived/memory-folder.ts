// Files in memory, as a ConfigFolder.
import type { ConfigFolder } from '../../../../shared/doctor/keepalived/grammar/folder.ts';

export function memoryFolder(files: Readonly<Record<string, string>>): ConfigFolder {
  return {
    read: (path) => files[plainPath(path)],
    list: (path) => {
      const folder = plainPath(path);
      const prefix = folder === '.' ? '' : `${folder}/`;
      const names = Object.keys(files)
        .filter((name) => name.startsWith(prefix))
        .map((name) => name.slice(prefix.length).split('/')[0]!);
      return names.length === 0 ? undefined : [...new Set(names)];
    },
  };
}

/** Without `.` and `..`. */
function plainPath(path: string): string {
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') kept.pop();
    else if (part !== '.' && part !== '') kept.push(part);
  }
  return `${path.startsWith('/') ? '/' : ''}${kept.join('/')}` || '.';
}
