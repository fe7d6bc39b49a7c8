/**
 * The second way of the lab: the front of the function URL behind a tap, which records the nodes' calls and can hold them back.
 */
import { type FunctionUrlInput, startFunctionUrl } from '../../aws/stack/function-url.ts';
import { AWS_ADDRESS } from '../sandbox/topology.ts';
import { Tap } from './recording-proxy.ts';

export interface DirectWay {
  /** For the nodes' `direct = `. */
  readonly url: string;
  readonly tap: Tap;
  close(): Promise<void>;
}

export async function startDirectWay(input: Omit<FunctionUrlInput, 'host' | 'port'>): Promise<DirectWay> {
  const front = await startFunctionUrl(input);
  const tap = new Tap(front.url);
  const url = await tap.listen(AWS_ADDRESS);
  return {
    url,
    tap,
    async close() {
      tap.close();
      await front.stop();
    },
  };
}
