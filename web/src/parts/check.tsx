import type { ReactNode } from 'react';
import './check.css';

/** A box to tick, with its words beside it or, where a table says them already, for those who hear the page. */
export function Check({ checked, onChange, label, children }: { checked: boolean; onChange: (checked: boolean) => void; label?: string; children?: ReactNode }) {
  return (
    <label className="check">
      <input type="checkbox" checked={checked} aria-label={label} onChange={(event) => onChange(event.currentTarget.checked)} />
      {children}
    </label>
  );
}
