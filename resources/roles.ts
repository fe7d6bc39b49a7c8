/**
 * What each function may do: a role per function, one statement per action, nothing shared.
 *
 * Invariant: no function may delete a route, change a tag, release an address or read a table that is not the stack's; EC2 is changed only where
 * the stage's tag is. Limit: IAM cannot say which ENI a route may point to; the controller checks that (guarantee 7).
 */
type Json = string | boolean | readonly Json[] | { readonly [key: string]: Json };
type Statement = { readonly [key: string]: Json };

/** The resources of the stack that the statements name. */
const arn = {
  vips: { 'Fn::GetAtt': ['VipsTable', 'Arn'] },
  timeline: { 'Fn::GetAtt': ['TimelineTable', 'Arn'] },
  bus: { 'Fn::GetAtt': ['Bus', 'Arn'] },
  functionFailures: { 'Fn::GetAtt': ['FunctionFailures', 'Arn'] },
} as const;

export function roleResources(stage: string): Json {
  const shared = [...observe(), ...apply(stage), ...record(), announce()];
  return {
    Resources: {
      FailoverRole: role('failover', [...logs('failover'), ...vips(), ...shared, reportFailure()]),
      ReconcileRole: role('reconcile', [...logs('reconcile'), ...vips(), listVips(), ...shared]),
      NoticeMachineRole: serviceRole('the workflow notice', 'notice', 'states.amazonaws.com', [
        // SendNotice
        allow('sns:Publish', { Ref: 'Notices' }),
      ]),
      NoticeRuleRole: serviceRole('the rule NoticeRule', 'notice-rule', 'events.amazonaws.com', [
        allow('states:StartExecution', { Ref: 'NoticeMachine' }),
      ]),
    },
  };
}

const role = (name: string, statements: readonly Statement[]): Json =>
  serviceRole(`the function ${name}`, name, 'lambda.amazonaws.com', statements);

function serviceRole(whose: string, name: string, service: string, statements: readonly Statement[]): Json {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      Description: `vipshift: ${whose}`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
      },
      Policies: [{ PolicyName: name, PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}

function allow(action: string, resource: Json, condition?: Json): Statement {
  const statement = { Effect: 'Allow', Action: action, Resource: resource };
  return condition === undefined ? statement : { ...statement, Condition: condition };
}

function vips(): Statement[] {
  return [
    // the item is read before a claim is merged, and after a write whose reply was lost
    allow('dynamodb:GetItem', arn.vips),
    // every write: claims, lease, release; never PutItem, so that old code keeps attributes it does not know
    allow('dynamodb:UpdateItem', arn.vips),
  ];
}

// reconcile goes over all VIPs
function listVips(): Statement {
  return allow('dynamodb:Scan', arn.vips);
}

function record(): Statement[] {
  return [
    // a failover's record is put once, and never touched again
    allow('dynamodb:PutItem', arn.timeline),
    // what stands of an epoch, intent and outcome, before it is called abandoned
    allow('dynamodb:Query', arn.timeline),
    // the one thing that is counted in place: rejected claims, by VIP, node, reason and hour
    allow('dynamodb:UpdateItem', arn.timeline, {
      'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['rejected/*'] },
      Null: { 'dynamodb:LeadingKeys': 'false' },
    }),
  ];
}

// EC2 has no resources for Describe*.
function observe(): Statement[] {
  return [
    // the VIP's tables and what its routes point to
    allow('ec2:DescribeRouteTables', '*'),
    // the members' service and EIP ENIs
    allow('ec2:DescribeNetworkInterfaces', '*'),
    // where the VIP's EIPs are
    allow('ec2:DescribeAddresses', '*'),
  ];
}

function apply(stage: string): Statement[] {
  const tagged = { Null: { [`aws:ResourceTag/vipshift:${stage}`]: 'false' } };
  return [
    // a step that points a VIP's route to the new owner
    allow('ec2:ReplaceRoute', ec2Arn('route-table'), tagged),
    // the same where the route is missing
    allow('ec2:CreateRoute', ec2Arn('route-table'), tagged),
    // a step that moves an EIP: both ends bear the tag
    allow('ec2:AssociateAddress', [ec2Arn('elastic-ip'), ec2Arn('network-interface')], tagged),
    // source/dest check off on the ENI that receives a VIP's traffic
    allow('ec2:ModifyNetworkInterfaceAttribute', ec2Arn('network-interface'), tagged),
  ];
}

// A function may say that a failover finished or failed; it cannot say that a node changed its state.
function announce(): Statement {
  return allow('events:PutEvents', arn.bus, {
    'ForAllValues:StringEquals': {
      'events:source': 'vipshift.controller',
      'events:detail-type': ['VIP Failover Finished', 'VIP Failover Failed'],
    },
    Null: { 'events:source': 'false', 'events:detail-type': 'false' },
  });
}

// Lambda itself sends with the function's role what the function could not do.
function reportFailure(): Statement {
  return allow('sqs:SendMessage', arn.functionFailures);
}

function logs(name: string): Statement[] {
  const group = `arn:\${AWS::Partition}:logs:\${AWS::Region}:\${AWS::AccountId}:log-group:/aws/lambda/\${Function}:*`;
  const streams = { 'Fn::Sub': [group, { Function: functionName(name) }] } as const;
  return [allow('logs:CreateLogStream', streams), allow('logs:PutLogEvents', streams)];
}

// By name, not by reference: the function already refers to its role.
function functionName(name: string): Json {
  return { 'Fn::Sub': `\${AWS::StackName}-${name}` };
}

function ec2Arn(type: string): Json {
  return { 'Fn::Sub': `arn:\${AWS::Partition}:ec2:\${AWS::Region}:\${AWS::AccountId}:${type}/*` };
}
