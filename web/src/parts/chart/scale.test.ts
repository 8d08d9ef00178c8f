import { describe, expect, it } from 'vitest';
import type { ScorePoint } from '@/api/types';
import { binned, decades, logPosition, nearest, roundUp, timeTicks } from './scale';

const FROM = Date.parse('2018-07-31T13:00:00Z');
const HOUR = 3_600_000;
const point = (minute: number, score: number | null, alert = false): ScorePoint => ({
  start: new Date(FROM + minute * 60_000).toISOString(), end: new Date(FROM + minute * 60_000 + 10_000).toISOString(), score, alert,
  packets_out: minute, packets_in: 1, bytes_out: 0, bytes_in: 0, top_metric: null, measured: null, expected: null,
});

describe('binned', () => {
  it('never loses an alert, whatever the number of columns', () => {
    const points = Array.from({ length: 600 }, (_, n) => point(n / 10, n === 333 ? 42 : 0.2, n === 333));
    for (const columns of [1, 2, 7, 60, 599, 2000]) {
      const bins = binned(points, FROM, FROM + HOUR, columns);
      expect(bins.length).toBeLessThanOrEqual(columns);
      expect(Math.max(...bins.map((bin) => bin.score))).toBe(42);
      expect(bins.filter((bin) => bin.alert)).toHaveLength(1);
      expect(bins.find((bin) => bin.alert)?.top.score).toBe(42);
      expect(bins.reduce((sum, bin) => sum + bin.windows, 0)).toBe(600);
    }
  });

  it('keeps what is inside, in order, and survives nonsense', () => {
    const bins = binned([point(-5, 9), point(0, 1), point(60, 2), point(61, 9)], FROM, FROM + HOUR, 10);
    expect(bins.map((bin) => bin.score)).toEqual([1, 2]);
    expect(binned([point(1, 1)], FROM, FROM, 10)).toEqual([]);
    expect(binned([{ ...point(1, 1), start: 'no time' }], FROM, FROM + HOUR, 10)).toEqual([]);
    expect(binned([point(1, null)], FROM, FROM + HOUR, 10)[0]?.score).toBe(0);
  });
});

describe('axes', () => {
  it('puts ticks on round moments, never more than asked for', () => {
    for (const span of [1_000, 60_000, HOUR, 24 * HOUR, 90 * 24 * HOUR, 3650 * 24 * HOUR]) {
      const ticks = timeTicks(FROM, FROM + span, 6);
      expect(ticks.length).toBeLessThanOrEqual(7);
      expect(ticks.length).toBeGreaterThan(0);
      expect(ticks.every((at) => at >= FROM && at <= FROM + span)).toBe(true);
    }
    expect(timeTicks(FROM, FROM + 24 * HOUR, 5).every((at) => at % (6 * HOUR) === 0)).toBe(true);
  });

  it('rounds the largest value up to 1, 2 or 5', () => {
    expect([0, 0.3, 1, 3, 5, 6, 120].map(roundUp)).toEqual([1, 0.5, 1, 5, 5, 10, 200]);
  });

  it('holds the logarithm inside its ends', () => {
    expect(logPosition(0, 0.03, 10)).toBe(0);
    expect(logPosition(-1, 0.03, 10)).toBe(0);
    expect(logPosition(1e9, 0.03, 10)).toBe(1);
    expect(logPosition(1, 0.01, 100)).toBeCloseTo(0.5);
    expect(decades(0.03, 100)).toEqual([0.1, 1, 10, 100]);
  });

  it('finds the nearest column', () => {
    const bins = binned([point(0, 1), point(30, 2), point(59, 3)], FROM, FROM + HOUR, 60);
    expect(nearest(bins, FROM + 31 * 60_000)).toBe(1);
    expect(nearest([], FROM)).toBe(-1);
  });
});
