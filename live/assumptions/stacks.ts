// The two stacks of the probes for rights: everything in them is of a moment's use.
const ref = (id: string) => ({ Ref: id });
const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });
const machine = (definition: object, substitutions: object = {}) => ({
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: {
    RoleArn: arn('MachineRole'),
    DefinitionString: JSON.stringify(definition),
    ...(Object.keys(substitutions).length === 0 ? {} : { DefinitionSubstitutions: substitutions }),
  },
});

function role(service: string, statement: object | undefined, condition: object | undefined): object {
  const Policies =
    statement === undefined
      ? []
      : [
          {
            PolicyName: 'probe',
            PolicyDocument: { Version: '2012-10-17', Statement: { Effect: 'Allow', ...statement } },
          },
        ];
  const trust = { Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' };
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [condition === undefined ? trust : { ...trust, Condition: condition }],
      },
      Policies,
    },
  };
}

/** A workflow that waits for an answer, and leaves the token in a parameter of Systems Manager. */
export const approvalStack = (parameter: string): object => ({
  Resources: {
    MachineRole: role('states.amazonaws.com', { Action: 'ssm:PutParameter', Resource: '*' }, undefined),
    Machine: machine(
      {
        StartAt: 'wait',
        States: {
          wait: {
            Type: 'Task',
            Resource: 'arn:${Partition}:states:::aws-sdk:ssm:putParameter.waitForTaskToken',
            Parameters: { Name: parameter, Type: 'String', 'Value.$': '$$.Task.Token' },
            TimeoutSeconds: 300,
            End: true,
          },
        },
      },
      { Partition: ref('AWS::Partition') },
    ),
  },
  Outputs: { Machine: { Value: ref('Machine') } },
});

/** A rule that starts a workflow that invokes a function; all three roles ask for the account. */
export function trustStack(): object {
  const own = { StringEquals: { 'aws:SourceAccount': ref('AWS::AccountId') } };
  return {
    Resources: {
      FunctionRole: role('lambda.amazonaws.com', undefined, own),
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          ...{ Runtime: 'nodejs24.x', Handler: 'index.handler', Role: arn('FunctionRole'), Timeout: 10 },
          Code: { ZipFile: 'exports.handler = async () => ({ done: true });' },
        },
      },
      MachineRole: role(
        'states.amazonaws.com',
        { Action: 'lambda:InvokeFunction', Resource: arn('Function') },
        own,
      ),
      Machine: machine(
        {
          StartAt: 'call',
          States: { call: { Type: 'Task', Resource: '${Function}', TimeoutSeconds: 30, End: true } },
        },
        { Function: arn('Function') },
      ),
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: { 'Fn::Sub': '${AWS::StackName}' } } },
      RuleRole: role(
        'events.amazonaws.com',
        { Action: 'states:StartExecution', Resource: ref('Machine') },
        own,
      ),
      Rule: {
        Type: 'AWS::Events::Rule',
        Properties: {
          EventBusName: ref('Bus'),
          EventPattern: { source: ['vipshift.assumptions'] },
          Targets: [{ Id: 'machine', Arn: ref('Machine'), RoleArn: arn('RuleRole') }],
        },
      },
    },
    Outputs: { Machine: { Value: ref('Machine') }, Bus: { Value: ref('Bus') } },
  };
}
