// The policies of a right set-up, as the template and docs/install.md have them.
import { everyBus, onlyInstances, ownSource, withNodeRole } from '../../../resources/policies/bus-policy.ts';

export const ROLE = 'vipshift-node';

export const trust = (...services: string[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: services.map((Service) => ({
      Effect: 'Allow',
      Principal: { Service },
      Action: 'sts:AssumeRole',
    })),
  });

/** As the template has it. */
export const busPolicy = (bus: string, accountId: string): string => {
  const role = (name: string) => `arn:aws:iam::${accountId}:role/${name}`;
  const statements = [
    ...everyBus({ bus, announcers: [role('vipshift-dev-FailoverRole-X')] }),
    ...withNodeRole(bus, role(ROLE), ownSource),
    onlyInstances(bus, 'instance-arn'),
  ];
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
};
