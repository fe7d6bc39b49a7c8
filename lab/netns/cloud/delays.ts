/**
 * Delays like those of AWS, which the emulators do not have: the bus takes 400 ms, each request to EC2 250 ms, and a route takes effect
 * 1.5 s after EC2 has answered.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Cloud } from './cloud.ts';

export const BUS_MS = 400;
export const EC2_MS = 250;
export const ROUTE_MS = 1_500;

export const DELAYS_TEXT = `a bus of ${BUS_MS} ms, EC2 of ${EC2_MS} ms, routes that take effect ${ROUTE_MS} ms later`;

export function slowDown({ bus, ec2, mirror }: Cloud): void {
  bus.gate = () => delay(BUS_MS, 'pass' as const);
  ec2.gate = () => delay(EC2_MS, 'pass' as const);
  ec2.answered = (exchange) => mirror.followLater(exchange, ROUTE_MS);
}
