// One button, small enough for the first page: filled for the act the page is about, plain for the rest.
import { Link } from '@tanstack/react-router';
import type { ButtonHTMLAttributes, ReactNode } from 'react';
import './button.css';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  plain?: boolean;
  small?: boolean;
  wide?: boolean;
  /** While true the button says that it works, and cannot be pressed again. */
  busy?: boolean;
}

const classOf = ({ plain, small, wide }: { plain?: boolean | undefined; small?: boolean | undefined; wide?: boolean | undefined }) =>
  ['button', plain ? 'plain-look' : '', small ? 'small-look' : '', wide ? 'wide-look' : ''].filter(Boolean).join(' ');

export function Button({ plain, small, wide, busy, disabled, type = 'button', children, ...rest }: ButtonProps) {
  return (
    <button type={type} className={classOf({ plain, small, wide })} disabled={disabled || busy} aria-busy={busy} {...rest}>
      {busy && <i className="turning" aria-hidden="true" />}
      {children}
    </button>
  );
}

/** Looks like the page's act, and is a link. */
export function ButtonLink({ to, children }: { to: string; children: ReactNode }) {
  return <Link to={to} className="button" data-row>{children}</Link>;
}
