import { useRef, useState } from 'react';
import type { Image } from '../api.ts';
import { texts } from '../texts.ts';

const { detail } = texts;

/** The image as the API gives it. */
export const DetailJson = ({ image }: { image: Image }) => {
  const code = useRef<HTMLElement>(null);
  const [said, setSaid] = useState('');
  const text = JSON.stringify(image, null, 2);
  const copy = async () => {
    try {
      // Missing where the page is served over plain HTTP from another machine.
      await navigator.clipboard.writeText(text);
      setSaid(detail.copied);
    } catch {
      if (code.current) getSelection()?.selectAllChildren(code.current);
      setSaid(detail.notCopied);
    }
  };
  return (
    <details className="json">
      <summary>{detail.json}</summary>
      <div className="json-head">
        <button type="button" className="button button-small" onClick={copy}>
          {detail.copy}
        </button>
        <span role="status">{said}</span>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard has to scroll it */}
      <pre tabIndex={0}>
        <code ref={code}>{text}</code>
      </pre>
    </details>
  );
};
