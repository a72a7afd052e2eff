import type { Scenario } from './session.ts';
import { acceptance } from './steps/acceptance.ts';
import { apiKeys } from './steps/access.ts';
import { autoscaling } from './steps/autoscaling.ts';
import { deployFirst, deployments } from './steps/deploy.ts';
import { guide, installInOrder, installInReverse, onePictureEach } from './steps/guide.ts';
import { monitoring } from './steps/monitoring.ts';
import { nodes } from './steps/nodes.ts';
import { installUmbrella, postgresql } from './steps/postgresql.ts';
import { refused } from './steps/refusals.ts';
import { restarts } from './steps/restarts.ts';
import { kept, rotated } from './steps/secrets.ts';

/** Everything that is tried, each scenario in a namespace of its own. */
export const scenarios: readonly Scenario[] = [
  { name: 'refusals', steps: [refused] },
  {
    name: 'guide',
    setup: installInOrder,
    steps: [...guide, ...restarts, ...nodes, ...monitoring, autoscaling, rotated, kept],
  },
  { name: 'order', setup: installInReverse, steps: [onePictureEach, acceptance], strangers: true },
  { name: 'deploy', setup: deployFirst, steps: deployments, strangers: true },
  { name: 'postgresql', setup: installUmbrella, steps: [...postgresql, apiKeys, kept] },
];
