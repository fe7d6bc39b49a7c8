// What `vipshift failover --print-commands` may be asked.
export interface ByHandOptions {
  readonly to: string;
  readonly reason?: string;
  readonly for?: string;
  readonly manifest?: string;
  readonly address?: readonly string[];
  readonly eip?: readonly string[];
}
