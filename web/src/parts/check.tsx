import type { ReactNode } from 'react';
import './check.css';

/** A box to tick, with its words beside it or, where a table says them already, for those who hear the page. */
export function Check({ checked, onChange, label, disabled, children }: { checked: boolean; onChange: (checked: boolean) => void; label?: string; disabled?: boolean; children?: ReactNode }) {
  return (
    <label className="check">
      <input type="checkbox" checked={checked} aria-label={label} disabled={disabled} onChange={(event) => onChange(event.currentTarget.checked)} />
      {children}
    </label>
  );
}
