// As roles.cjs.
const { machineRoleResources } = require('./machine-roles.ts');

module.exports = machineRoleResources;
