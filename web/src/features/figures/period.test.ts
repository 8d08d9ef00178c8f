import { describe, expect, it } from 'vitest';
import { visit } from '@/features/situation/last-here';
import { after, daysBack, nextDay } from './period';

describe('days of figures', () => {
  it('count today, and go over the ends of months', () => {
    expect(daysBack(1, Date.parse('2026-03-01T12:00:00Z'))).toBe('2026-03-01');
    expect(daysBack(30, Date.parse('2026-03-01T00:10:00Z'))).toBe('2026-01-31');
    expect(nextDay('2026-02-28')).toBe('2026-03-01');
    expect(nextDay('nonsense')).toBe('nonsense');
  });
  it('tell the bucket of the median, whatever is empty around it', () => {
    const took = [{ bucket: '5m', n: 0 }, { bucket: '1h', n: 3 }, { bucket: '1d', n: 2 }, { bucket: 'more', n: 0 }];
    expect(after(took, 0.5)).toBe('1h');
    expect(after(took, 0.9)).toBe('1d');
  });
});

describe('the last visit', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  const stored = (last: string, before: string | null = null) => JSON.stringify({ last, before });
  it('is the one before this, not the reload of a minute ago', () => {
    expect(visit(null, now).before).toBeNull();
    expect(visit(stored('2026-03-01T08:00:00Z'), now).before).toBe('2026-03-01T08:00:00Z');
    expect(visit(stored('2026-03-01T11:59:00Z', '2026-02-28T20:00:00Z'), now).before).toBe('2026-02-28T20:00:00Z');
  });
  it('is unknown after nonsense and after a clock that was set back', () => {
    expect(visit('{', now).before).toBeNull();
    expect(visit(stored('2027-01-01T00:00:00Z'), now).before).toBeNull();
  });
});
