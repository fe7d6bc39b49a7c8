// The account's roles and users through the real SDK: every policy that applies to one, however it got there.
import { IAMClient } from '@aws-sdk/client-iam';
import { afterEach, expect, it } from 'vitest';
import { principalsOf } from '../../../../shared/aws/iam/principals.ts';
import { type Policy, statements } from '../../../../shared/doctor/service/iam-policy.ts';
import { type Endpoint, iamReply, startEndpoint, type Tree } from '../../../support/aws/endpoint.ts';

let endpoint: Endpoint | undefined;
let iam: IAMClient | undefined;
afterEach(async () => {
  iam?.destroy();
  await endpoint?.stop();
});

const document = (Sid: string) => encodeURIComponent(JSON.stringify({ Statement: { Sid, Effect: 'Allow' } }));
const inline = (sid: string) => [{ PolicyName: 'n', PolicyDocument: document(sid) }];
const attached = (...arns: readonly string[]) => arns.map((PolicyArn) => ({ PolicyArn }));
const within = (PermissionsBoundaryArn: string) => ({ PermissionsBoundary: { PermissionsBoundaryArn } });

const OWN = 'arn:aws:iam::111122223333:policy/own';
const AWS = 'arn:aws:iam::aws:policy/PowerUserAccess';

it('are told with their own policies, those that are attached, their groups’, and their boundary', async () => {
  const versions = [
    { IsDefaultVersion: false, Document: document('old') },
    { IsDefaultVersion: true, Document: document('own') },
  ];
  const pages: Tree[] = [
    {
      ...{ IsTruncated: true, Marker: '2' },
      GroupDetailList: [
        { GroupName: 'night', GroupPolicyList: inline('group'), AttachedManagedPolicies: attached(OWN) },
      ],
      UserDetailList: [
        { Arn: 'ann', Path: '/', GroupList: ['night'], UserPolicyList: inline('ann'), ...within(AWS) },
      ],
    },
    {
      IsTruncated: false,
      RoleDetailList: [
        {
          ...{ Arn: 'role', Path: '/', RolePolicyList: inline('role') },
          ...{ AttachedManagedPolicies: attached(AWS, OWN), ...within(OWN) },
        },
        { Arn: 'linked', Path: '/aws-service-role/x/' },
      ],
      Policies: [{ Arn: OWN, PolicyVersionList: versions }],
    },
  ];
  endpoint = await startEndpoint((call) => {
    if (call.action === 'GetPolicy') return iamReply(call, { Policy: { DefaultVersionId: 'v7' } });
    if (call.action === 'GetPolicyVersion')
      return iamReply(call, { PolicyVersion: { Document: document('aws') } });
    return iamReply(call, pages.shift());
  });
  iam = new IAMClient({ ...endpoint.config, maxAttempts: 1 });
  const found = await principalsOf({ iam, signal: new AbortController().signal });
  const sid = (policy: Policy | undefined) => statements(policy)[0]?.Sid;
  expect(found.map(({ arn, policies, boundary }) => [arn, policies.map(sid), sid(boundary)])).toEqual([
    ['role', ['role', 'aws', 'own'], 'own'],
    ['ann', ['ann', 'group', 'own'], 'aws'],
  ]);
  // AWS's own policy is looked up once, though it is attached here and a boundary there.
  expect(endpoint.calls.map(({ action }) => action)).toEqual([
    ...['GetAccountAuthorizationDetails', 'GetAccountAuthorizationDetails', 'GetPolicy', 'GetPolicyVersion'],
  ]);
});
