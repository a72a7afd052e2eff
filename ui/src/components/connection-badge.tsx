import type { Connection } from '../live.ts';
import { texts } from '../texts.ts';

/** Whether what is shown follows the server. */
export const ConnectionBadge = ({ connection }: { connection: Connection }) => (
  <p className={`connection connection-${connection}`} role="status">
    <span className="connection-mark" aria-hidden="true" />
    <span>{texts.connection[connection]}</span>
  </p>
);
