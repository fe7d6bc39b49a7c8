// What CloudFormation's own handlers ask of IAM for each type of resource, with the deployer's credentials: AWS's resource schemas, as cfn-lint
// ships them (pinned with its checksum).
//
// Limit: a handler names what it may need for any property of its type.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePython } from '../../../lab/aws/python.ts';

const PROGRAM = `
import json, pathlib, sys, cfnlint
schemas = pathlib.Path(cfnlint.__file__).parent / "data" / "schemas"
types = json.loads((schemas / "providers" / (sys.argv[1] + ".json")).read_text())
found = {}
for name in sys.argv[2:]:
    schema = json.loads((schemas / "resources" / (types[name] + ".json")).read_text())
    handlers = [h for verb, h in schema["handlers"].items() if verb != "list"]
    found[name] = sorted({p for h in handlers for p in h.get("permissions") or []})
print(json.dumps(found))
`;

/** Type → the actions of its create, read, update and delete handlers. */
export async function handlerActions(
  types: readonly string[],
  region: string,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const python = await ensurePython({ requirements: join(import.meta.dirname, 'requirements.txt') });
  const { stdout } = await promisify(execFile)(python, ['-c', PROGRAM, region, ...types]);
  return JSON.parse(stdout) as Readonly<Record<string, readonly string[]>>;
}
