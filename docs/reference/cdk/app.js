// vipshift as a stack of a CDK app: the template of a release with its code, and its policy on the nodes' role.
//
//   npx cdk deploy -c release=FOLDER -c stage=prod -c nodeRoleId=AROA… -c nodeRoleArn=arn:aws:iam::…:role/…
//
// FOLDER has the files of the release. The role has to be there before: the template's conditions take no reference to what the same
// deployment makes. CDK puts template and zips into the bucket of its own that `cdk bootstrap` made.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';

const app = new App({ analyticsReporting: false });

function setting(name) {
  const value = app.node.tryGetContext(name);
  if (typeof value !== 'string' || value === '') throw new Error(`${name} is missing: -c ${name}=…`);
  return value;
}

const release = setting('release');
const files = readdirSync(release);
function fileOf(pattern) {
  const name = files.find((file) => pattern.test(file));
  if (name === undefined)
    throw new Error(`${release} has no file ${pattern}: it must hold the files of a release`);
  return join(release, name);
}

const stage = setting('stage');
const nodeRoleArn = setting('nodeRoleArn');
// The doctor looks for it by this name.
const stack = new Stack(app, `vipshift-${stage}`, { terminationProtection: true });
const code = Object.fromEntries(
  ['failover', 'reconcile', 'runbook'].map((name) => [
    name,
    new Asset(stack, `${name}-code`, { path: fileOf(new RegExp(`^${name}-.*\\.zip$`)) }),
  ]),
);
const vipshift = new CfnInclude(stack, 'Vipshift', {
  templateFile: fileOf(/^vipshift-.*\.template\.json$/),
  parameters: {
    Stage: stage,
    CodeBucket: code.failover.s3BucketName,
    NodeRoleId: setting('nodeRoleId'),
    NodeRoleArn: nodeRoleArn,
    NoticesMail: app.node.tryGetContext('noticesMail') ?? '',
    DirectPath: app.node.tryGetContext('directPath') ?? 'off',
  },
});
// Each zip under the key that CDK gives it.
for (const [name, { s3BucketName: s3Bucket, s3ObjectKey: s3Key }] of Object.entries(code)) {
  const id = `${name[0].toUpperCase()}${name.slice(1)}LambdaFunction`;
  vipshift.getResource(id).code = { s3Bucket, s3Key };
}
vipshift.getResource('NodePolicy').roles = [nodeRoleArn.split('/').at(-1)];
