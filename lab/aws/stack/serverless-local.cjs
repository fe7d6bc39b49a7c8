// The one difference between a deployment onto the local AWS and a real one: an osls plugin, where osls itself deploys (test/deploy/, live/local/).
// It skips ValidateTemplate (the emulator does not know TemplateURL), gives the functions the endpoints of the emulators, and
// writes the stack's outputs to a file.
// Invariant: it refuses any endpoint that is not on loopback, so nothing of the lab can reach an account.
const { writeFileSync } = require('node:fs');

class ServerlessLocal {
  constructor(serverless) {
    const endpoint = new URL(process.env.AWS_ENDPOINT_URL ?? 'none:').hostname;
    if (endpoint !== '127.0.0.1') {
      throw new Error(
        `lab/aws/stack/serverless-local.cjs deploys onto the local AWS only: AWS_ENDPOINT_URL is on "${endpoint}", expected 127.0.0.1`,
      );
    }
    const pluginNamed = (name) =>
      serverless.pluginManager.plugins.find((plugin) => plugin.constructor.name === name);
    const skipValidation = () => {
      pluginNamed('AwsDeploy').validateTemplate = async () => {};
    };
    const addFunctionEnv = () => {
      const env = JSON.parse(process.env.VIPSHIFT_LAB_FUNCTION_ENV ?? '{}');
      const { Resources } = serverless.service.provider.compiledCloudFormationTemplate;
      for (const { Type, Properties } of Object.values(Resources)) {
        if (Type === 'AWS::Lambda::Function') Object.assign(Properties.Environment.Variables, env);
      }
    };
    const writeOutputs = () => {
      const outputs = pluginNamed('AwsInfo').gatheredData.outputs.map(({ OutputKey, OutputValue }) => [
        OutputKey,
        OutputValue,
      ]);
      writeFileSync(process.env.VIPSHIFT_LAB_OUTPUTS, JSON.stringify(Object.fromEntries(outputs)));
    };
    this.hooks = {
      'before:aws:deploy:deploy:validateTemplate': skipValidation,
      'after:aws:package:finalize:mergeCustomProviderResources': addFunctionEnv,
      'after:aws:info:gatherData': writeOutputs,
    };
  }
}

module.exports = ServerlessLocal;
