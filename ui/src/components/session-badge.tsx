import { useContext, useState } from 'react';
import { describeFault } from '../listing-source.ts';
import { SessionContext } from '../session.ts';
import { texts } from '../texts.ts';

/** Who is signed in, and the way out; nothing where no keys are wanted. */
export const SessionBadge = ({ onSignOut }: { onSignOut: () => Promise<void> }) => {
  const session = useContext(SessionContext);
  const [fault, setFault] = useState('');
  if (session.kind !== 'signed-in') return null;
  const { name, scopes, expiresAt } = session.key;
  return (
    <p className="session">
      <span title={texts.session.facts(scopes.join(', '), expiresAt)}>{texts.session.who(name)}</span>
      <button
        type="button"
        className="button button-small"
        onClick={() => onSignOut().catch((error: unknown) => setFault(describeFault(error)))}
      >
        {texts.session.signOut}
      </button>
      {fault && (
        <span className="fault" role="alert">
          {fault}
        </span>
      )}
    </p>
  );
};
