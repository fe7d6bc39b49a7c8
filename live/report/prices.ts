// What AWS asks for what a run uses: list prices in USD of us-east-1.
//
// Limit: read on the service pages by the author in 2025 and not looked up again since; other Regions are 0 to 40 % dearer, and
// no discount, free tier or tax is in it. Change them here, and nowhere else.
export const pricesAsOf = '2025, list prices of us-east-1, USD';

export const prices = {
  /** EC2 on-demand pricing page. */
  t4gNanoHour: 0.0042,
  /** VPC pricing page, "Public IPv4 addresses". */
  publicIpv4Hour: 0.005,
  /** EBS pricing page, gp3. */
  gp3GbMonth: 0.08,
  /** EC2 pricing page, "Data transfer within the same AWS Region", between zones, each way. */
  betweenZonesGb: 0.01,
  /** EventBridge pricing page, custom events. */
  eventsMillion: 1,
  /** Lambda pricing page, arm64. */
  lambdaMillion: 0.2,
  lambdaGbSecond: 0.000_013_333_4,
  /** DynamoDB pricing page, on demand. */
  writeUnitsMillion: 0.625,
  readUnitsMillion: 0.125,
  /** CloudWatch pricing page. */
  logsGb: 0.5,
  metricMonth: 0.3,
  alarmMonth: 0.1,
  dashboardMonth: 3,
} as const;
