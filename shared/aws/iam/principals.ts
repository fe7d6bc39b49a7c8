// Every role and user of the account with the policies that apply to it: its own, those that are attached, its groups', and its
// permissions boundary.
import {
  type AttachedPermissionsBoundary,
  type AttachedPolicy,
  type GetAccountAuthorizationDetailsCommandOutput,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  type IAMClient,
  type PolicyDetail,
  paginateGetAccountAuthorizationDetails,
} from '@aws-sdk/client-iam';
import type { PrincipalFact } from '../../doctor/service/approvers.ts';
import { type Policy, policyFrom } from '../../doctor/service/iam-policy.ts';
import { defined, ifDefined } from '../../optional.ts';
import { faultFromSdkError } from '../error-codes.ts';
import { collect } from '../pages.ts';

export interface IamAccess {
  readonly iam: IAMClient;
  readonly signal: AbortSignal;
}

type Page = Omit<GetAccountAuthorizationDetailsCommandOutput, '$metadata'>;
/** AWS's own policies only where they are attached: there are more than a thousand. */
const Filter = ['User', 'Role', 'Group', 'LocalManagedPolicy'] as const;
/** AWS's services take these alone. */
const SERVICE_LINKED = '/aws-service-role/';

export async function principalsOf(access: IamAccess): Promise<readonly PrincipalFact[]> {
  const { iam, signal } = access;
  try {
    const asked = paginateGetAccountAuthorizationDetails(
      { client: iam, pageSize: 1000 },
      { Filter: [...Filter] },
      { abortSignal: signal },
    );
    const pages: readonly Page[] = await collect(asked, (page) => [page]);
    const managed = managedPolicies(access, pages);
    const attached = async (list: readonly AttachedPolicy[] = []): Promise<readonly Policy[]> => {
      const policies: Policy[] = [];
      for (const { PolicyArn } of list) policies.push(await managed(PolicyArn!));
      return policies;
    };
    const within = async (boundary: AttachedPermissionsBoundary | undefined) =>
      defined({ boundary: await ifDefined(boundary?.PermissionsBoundaryArn, managed) });
    const groups = new Map<string, readonly Policy[]>();
    for (const group of pages.flatMap((page) => page.GroupDetailList ?? []))
      groups.set(group.GroupName!, [
        ...own(group.GroupPolicyList),
        ...(await attached(group.AttachedManagedPolicies)),
      ]);
    const found: PrincipalFact[] = [];
    for (const role of pages.flatMap((page) => page.RoleDetailList ?? []))
      if (role.Path?.startsWith(SERVICE_LINKED) !== true)
        found.push({
          arn: role.Arn!,
          policies: [...own(role.RolePolicyList), ...(await attached(role.AttachedManagedPolicies))],
          ...(await within(role.PermissionsBoundary)),
        });
    for (const user of pages.flatMap((page) => page.UserDetailList ?? []))
      found.push({
        arn: user.Arn!,
        policies: [
          ...own(user.UserPolicyList),
          ...(await attached(user.AttachedManagedPolicies)),
          ...(user.GroupList ?? []).flatMap((name) => groups.get(name) ?? []),
        ],
        ...(await within(user.PermissionsBoundary)),
      });
    return found;
  } catch (error) {
    throw faultFromSdkError(error, 'looking up the account’s roles and users');
  }
}

const own = (list: readonly PolicyDetail[] | undefined): readonly Policy[] =>
  (list ?? []).map(({ PolicyDocument }) => policyFrom(PolicyDocument) ?? {});

/** Each policy is looked up once. */
function managedPolicies({ iam, signal }: IamAccess, pages: readonly Page[]) {
  const known = new Map<string, Policy>();
  for (const policy of pages.flatMap((page) => page.Policies ?? [])) {
    const version = policy.PolicyVersionList?.find(({ IsDefaultVersion }) => IsDefaultVersion === true);
    if (version !== undefined) known.set(policy.Arn!, policyFrom(version.Document) ?? {});
  }
  const lookUp = async (PolicyArn: string): Promise<Policy> => {
    const abort = { abortSignal: signal };
    const { Policy: found } = await iam.send(new GetPolicyCommand({ PolicyArn }), abort);
    const VersionId = found?.DefaultVersionId ?? 'v1';
    const reply = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }), abort);
    return policyFrom(reply.PolicyVersion?.Document) ?? {};
  };
  return async (arn: string): Promise<Policy> => {
    const policy = known.get(arn) ?? (await lookUp(arn));
    known.set(arn, policy);
    return policy;
  };
}
