import { createRoot } from 'react-dom/client';
import { Gate } from './gate.tsx';
import { createSession } from './session.ts';
import { texts } from './texts.ts';
import './styles/base.css';
import './styles/page.css';
import './styles/session.css';
import './styles/upload.css';
import './styles/list.css';
import './styles/filter.css';
import './styles/summary.css';
import './styles/dead.css';
import './styles/system.css';
import './styles/cards.css';
import './styles/chips.css';
import './styles/dialog.css';
import './styles/detail.css';
import './styles/result.css';
import './styles/forced-colors.css';
import './styles/print.css';

const element = document.querySelector<HTMLElement>('#root');
if (!element) throw new Error('index.html has no #root');

const root = createRoot(element, {
  // React has taken the page away by then; a white page would tell nothing.
  onUncaughtError: (error) => {
    console.error(error);
    const message = document.createElement('p');
    message.className = 'broken';
    message.role = 'alert';
    message.textContent = texts.broken;
    document.body.append(message);
  },
});
root.render(<Gate source={createSession()} />);
