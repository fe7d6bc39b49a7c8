// osls reads .cjs, and a YAML key cannot hold a variable as the tag conditions need it: the roles are in roles.ts.
const { roleResources } = require('./roles.ts');

module.exports = roleResources;
