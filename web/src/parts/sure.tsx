// An act that cannot be taken back asks once more, in place.
import { useState } from 'react';
import { t } from '@/strings/pages';
import { Button } from './button';

interface SureProps {
  text: string;
  sure: string;
  /** What it is about, for those who do not see the row. */
  of?: string;
  small?: boolean;
  busy: boolean;
  onSure: () => void;
}

export function Sure({ text, sure, of, small, busy, onSure }: SureProps) {
  const [asked, setAsked] = useState(false);
  const named = (words: string) => (of ? `${words}: ${of}` : words);
  if (!asked) return <Button small={small ?? false} plain onClick={() => setAsked(true)} aria-label={named(text)}>{text}</Button>;
  return (
    <span className="inline">
      <Button small={small ?? false} disabled={busy} onClick={onSure} aria-label={named(sure)}>{sure}</Button>{' '}
      <Button small={small ?? false} plain onClick={() => setAsked(false)}>{t('sure.keep')}</Button>
    </span>
  );
}
