import { type FormEvent, useEffect, useRef, useState } from 'react';
import { describeFault } from '../listing-source.ts';
import { texts } from '../texts.ts';
import { Logo } from './logo.tsx';

interface SignInProps {
  readonly ended: boolean;
  readonly onSignIn: (key: string) => Promise<void>;
}

/** Asks for an API key. The key is sent once and kept in a cookie that no script can read. */
export const SignIn = ({ ended, onSignIn }: SignInProps) => {
  const input = useRef<HTMLInputElement>(null);
  const [fault, setFault] = useState(ended ? texts.session.ended : '');
  const [busy, setBusy] = useState(false);

  useEffect(() => input.current?.focus(), []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      await onSignIn(input.current?.value ?? '');
    } catch (error) {
      setFault(describeFault(error));
      setBusy(false);
      input.current?.select();
    }
  };

  return (
    <main className="gate">
      <Logo className="logo" />
      <h1>{texts.product}</h1>
      <form onSubmit={submit} aria-label={texts.session.signIn}>
        <label htmlFor="key">{texts.session.label}</label>
        <input
          ref={input}
          id="key"
          name="key"
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          maxLength={200}
          required
          aria-describedby={fault ? 'key-fault' : 'key-hint'}
          aria-invalid={fault !== '' && !ended}
        />
        <button type="submit" className="button button-main" aria-disabled={busy || undefined}>
          {texts.session.signIn}
        </button>
      </form>
      {fault && (
        <p id="key-fault" className="fault" role="alert">
          {fault}
        </p>
      )}
      <p id="key-hint" className="gate-hint">
        {texts.session.hint}
      </p>
    </main>
  );
};
