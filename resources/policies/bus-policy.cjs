// osls reads .cjs; the statements are in bus-policy.ts, where the live harness finds them as well.
const { busPolicy } = require('./bus-policy.ts');

module.exports = busPolicy;
