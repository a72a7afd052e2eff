import { describe } from 'node:test';
import { acceptCases } from './contract/accept.ts';
import { auditCases } from './contract/audit.ts';
import { countCases } from './contract/counts.ts';
import { lifecycleCases } from './contract/lifecycle.ts';
import { listCases } from './contract/list.ts';
import { outboxCases } from './contract/outbox.ts';
import { recordCases } from './contract/record.ts';
import { retentionCases } from './contract/retention.ts';
import { uploadCases } from './contract/uploads.ts';
import type { Store } from './store.ts';

/** What every adapter of the port does alike. `open` gives an empty store; each case closes its own. */
export const storeContract = (name: string, open: () => Promise<Store>): void => {
  describe(`${name}: the Store contract`, () => {
    for (const cases of [
      acceptCases,
      outboxCases,
      recordCases,
      lifecycleCases,
      listCases,
      retentionCases,
      auditCases,
      countCases,
      uploadCases,
    ])
      cases(open);
  });
};
