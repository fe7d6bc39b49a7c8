// What `vipshift apply` may be asked.
export interface ApplyOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly prune?: boolean;
  readonly force?: boolean;
  readonly reason?: string;
}
