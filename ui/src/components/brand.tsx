import { texts } from '../texts.ts';
import { Logo } from './logo.tsx';

/** The page's heading. */
export const Brand = () => (
  <h1>
    <Logo className="logo" />
    <span>{texts.product}</span>
  </h1>
);
