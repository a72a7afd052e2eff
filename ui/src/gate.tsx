import { useEffect, useState, useSyncExternalStore } from 'react';
import { App } from './app.tsx';
import { Brand } from './components/brand.tsx';
import { SessionBadge } from './components/session-badge.tsx';
import { SignIn } from './components/sign-in.tsx';
import { openLive } from './live.ts';
import { SessionContext, type SessionSource, useMay } from './session.ts';
import { texts } from './texts.ts';

/** What stands before anything is known. */
const Shell = () => (
  <header className="top">
    <Brand />
  </header>
);

/** The page with its connection, which lasts as long as somebody may read. */
const Connected = ({ onSignOut }: { onSignOut: () => Promise<void> }) => {
  const [live, setLive] = useState<ReturnType<typeof openLive>>();
  useEffect(() => {
    const opened = openLive();
    setLive(opened);
    return () => opened.close();
  }, []);
  return live ? <App live={live} onSignOut={onSignOut} /> : <Shell />;
};

const Inside = ({ onSignOut }: { onSignOut: () => Promise<void> }) => {
  if (useMay('read')) return <Connected onSignOut={onSignOut} />;
  return (
    <main className="gate">
      <h1>{texts.product}</h1>
      <p role="alert">{texts.session.mayNotRead}</p>
      <SessionBadge onSignOut={onSignOut} />
    </main>
  );
};

/** Lets in who may: everybody, or who has an API key. */
export const Gate = ({ source }: { source: SessionSource }) => {
  const session = useSyncExternalStore(source.subscribe, source.session);
  useEffect(() => source.open(), [source]);
  if (session.kind === 'loading') return <Shell />;
  if (session.kind === 'signed-out') return <SignIn ended={session.ended} onSignIn={source.signIn} />;
  return (
    <SessionContext value={session}>
      <Inside onSignOut={source.signOut} />
    </SessionContext>
  );
};
