import { describe, expect, it } from 'vitest';
import type { AwsCall } from '../../lab/fault/aws-call.ts';
import { drawMs, seeded } from '../../lab/fault/rule.ts';
import { ec2Bucket, tokenBucket } from '../../lab/fault/token-bucket.ts';

const call = (
  action: string,
  parameters: Record<string, string> = {},
  service: AwsCall['service'] = 'ec2',
): AwsCall => ({
  service,
  action,
  parameters,
  readsWeakly: false,
});

describe('a token bucket', () => {
  it('lets the burst through at once and not one more', () => {
    const bucket = tokenBucket({ burst: 50, perS: 5 });
    const passed = Array.from({ length: 200 }, () => bucket.take(0)).filter(Boolean);
    expect(passed).toHaveLength(50);
  });

  it('refills by the second: a token of 5/s is there after 200 ms, not after 199', () => {
    const bucket = tokenBucket({ burst: 1, perS: 5 });
    expect(bucket.take(1000)).toBe(true);
    expect(bucket.take(1199)).toBe(false);
    expect(bucket.take(1200), 'the refusal took nothing').toBe(true);
  });

  it('never holds more than the burst, however long no one came', () => {
    const bucket = tokenBucket({ burst: 2, perS: 5 });
    bucket.take(0);
    const passed = [1, 2, 3].map(() => bucket.take(3_600_000));
    expect(passed).toEqual([true, true, false]);
  });

  it('makes 200 replaced routes take 30 s: the lower bound that the design plans with', () => {
    const bucket = tokenBucket({ burst: 50, perS: 5 });
    let done = 0;
    let nowMs = 0;
    for (; done < 200 && nowMs < 60_000; nowMs += 10) while (bucket.take(nowMs)) done += 1;
    expect(nowMs - 10).toBeGreaterThanOrEqual(29_990);
    expect(nowMs - 10).toBeLessThanOrEqual(30_010);
  });
});

describe("EC2's buckets", () => {
  it('are one per action', () => {
    expect(ec2Bucket(call('ReplaceRoute'))).toEqual({ name: 'ReplaceRoute', size: { burst: 50, perS: 5 } });
    expect(ec2Bucket(call('CreateRoute'))?.name).toBe('CreateRoute');
    expect(ec2Bucket(call('ModifyNetworkInterfaceAttribute'))?.size).toEqual({ burst: 100, perS: 5 });
    expect(ec2Bucket(call('DescribeRouteTables'))?.size).toEqual({ burst: 100, perS: 20 });
  });

  it('are smaller for reads that are neither filtered nor paginated', () => {
    expect(ec2Bucket(call('DescribeNetworkInterfaces'))?.size).toEqual({ burst: 50, perS: 10 });
    expect(ec2Bucket(call('DescribeNetworkInterfaces', { 'Filter.1.Name': 'vpc-id' }))?.size).toEqual({
      burst: 100,
      perS: 20,
    });
    expect(ec2Bucket(call('DescribeInstances', { MaxResults: '100' }))?.size).toEqual({
      burst: 100,
      perS: 20,
    });
  });

  it('do not exist for other services and for actions that the guide does not list', () => {
    expect(ec2Bucket(call('CreateVpc'))).toBeUndefined();
    expect(ec2Bucket(call('ReplaceRoute', {}, 'other'))).toBeUndefined();
  });
});

describe('a drawn span', () => {
  it('has the median and the 99th percentile that were asked for', () => {
    const random = seeded(3);
    const drawn = Array.from({ length: 20_000 }, () => drawMs({ p50Ms: 150, p99Ms: 390 }, random)).toSorted(
      (a, b) => a - b,
    );
    expect(drawn[10_000]! / 150).toBeCloseTo(1, 1);
    expect(drawn[19_800]! / 390).toBeCloseTo(1, 1);
    expect(drawMs(12, random)).toBe(12);
  });
});
