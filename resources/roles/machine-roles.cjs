// As roles.cjs.
const { machineRoleResources } = require('./machine-roles.ts');

module.exports = async ({ resolveVariable }) => machineRoleResources(await resolveVariable('sls:stage'));
