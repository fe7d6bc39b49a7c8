// serverless.yml as `serverless package` makes it.
import { packagedService } from '../../../lab/aws/stack/packaged.ts';
import { settled } from './settled.ts';
import type { Template } from './template.ts';

/** The text of the template as it is deployed for a stage: parameters, and their defaults. */
export const parametric = async (
  stage: string,
  params: Readonly<Record<string, string>> = {},
): Promise<string> => (await packagedService({ stage, params })).template;

/** The same with the stage and the sizes put in. */
export const packaged = async (
  stage: string,
  params: Readonly<Record<string, string>> = {},
): Promise<string> =>
  JSON.stringify(settled(JSON.parse(await parametric(stage, params)) as Template), undefined, 2);
