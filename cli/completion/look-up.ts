// The names that completion offers, as they are now.
//
// Limit: what someone may not list is not offered; naming stages takes dynamodb:ListTables.
import { paginateListTables } from '@aws-sdk/client-dynamodb';
import { isRegistered } from '../../shared/registry/registry.ts';
import { epochMs, minutes, plus } from '../../shared/time.ts';
import type { CommandContext } from '../command/command.ts';
import { forAll } from '../command/many.ts';
import { plain } from '../command/output.ts';
import type { Session } from '../command/session.ts';
import type { LookedUp } from './values.ts';

export async function values({ args, out, session }: CommandContext<object>): Promise<void> {
  const [kind, vip] = args as readonly [LookedUp, string?];
  out.lines([...new Set(await found[kind](session, vip))].sort().map(plain));
}

type LookUp = (session: Session, vip: string | undefined) => Promise<readonly string[]>;

const registered = async (session: Session, vip: string | undefined) => {
  const all = (await session.ports.vips.list()).filter(isRegistered);
  const named = all.filter(({ name }) => name === vip);
  return named.length === 0 ? all : named;
};

/** The newest ones. */
const RECORDS = 50;

const found: Readonly<Record<LookedUp, LookUp>> = {
  vip: async (session) => (await registered(session, undefined)).map(({ name }) => name),
  node: async (session, vip) =>
    (await registered(session, vip)).flatMap(({ members }) => Object.keys(members)),
  async stage({ environment, signal }) {
    const names: string[] = [];
    const pages = paginateListTables({ client: environment.clients.dynamo }, {}, { abortSignal: signal });
    for await (const { TableNames = [] } of pages) names.push(...TableNames);
    return names.flatMap((name) => /^vipshift-(.+)-vips$/.exec(name)?.[1] ?? []);
  },
  async execution(session, vip) {
    const names: string[] = [];
    await forAll(await registered(session, vip), async ({ name }) => {
      for (const { execution } of await session.approvals.pending(name, session.now())) names.push(execution);
    });
    return names;
  },
  async record(session) {
    const answer = await session.log.find({
      kinds: ['outcome'],
      limit: RECORDS,
      sinceMs: epochMs(session.now() - 7 * 86_400_000),
      untilMs: plus(session.now(), minutes(1)),
    });
    const vips = await registered(session, undefined);
    return [
      ...vips.map(({ name }) => name),
      ...answer.records.flatMap((r) => (r.entry === 'outcome' ? [`${r.vip}/${r.epoch}`] : [])),
    ];
  },
};
