// Our own few icons: 16 px, stroke 1.5, always beside a word or with a label on their button.
const PATHS = {
  watch: 'M8 2.5C4.5 2.5 2 6 1.5 8c.5 2 3 5.5 6.5 5.500S14 10 14.5 8C14 6 11.5 2.5 8 2.500zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  incident: 'M8 1.8 14.5 13.500h-13zM8 6.500v3M8 11.500v.1',
  finding: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14M5 7.200l1.5 1.300L9 5.5',
  device: 'M4.5 4.500h7v7h-7zM6.5 2v2.500M9.5 2v2.500M6.5 11.500V14M9.5 11.500V14M2 6.500h2.500M2 9.500h2.500M11.5 6.500H14M11.5 9.500H14',
  playbook: 'M3 3.500h4M3 12.500h4M9.5 8H13M5 3.500v9M5 8h2M9 6.200v3.600h4.500V6.200zM3 2v3h4V2zM3 11v3h4v-3z',
  share: 'M12 5.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM4 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM12 14.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM5.8 7l4.4-2.500M5.8 9l4.4 2.5',
  intel: 'M2.5 3.500A9 4 0 0 1 8 2.500c3 0 5.5 1 5.5 2s-2.5 2-5.5 2-5.5-1-5.5-2zM2.5 4.500v7c0 1 2.5 2 5.5 2s5.5-1 5.5-2v-7M2.5 8c0 1 2.5 2 5.5 2s5.5-1 5.5-2',
  ledger: 'M8 2v3M8 5 4.5 7.500M8 5l3.5 2.500M4.5 7.500v2M11.5 7.500v2M4.5 9.5 2.5 12M4.5 9.500l2 2.500M11.5 9.500l-2 2.500M11.5 9.500l2 2.5',
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.7 10.7 14 14',
  health: 'M1.5 8h3l1.5-4 3 8 2-4h3.5',
  person: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14c.5-3 2.7-4.5 5.5-4.500s5 1.5 5.5 4.5',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v2M8 13v2M1 8h2M13 8h2M3 3l1.4 1.400M11.6 11.6 13 13M13 3l-1.4 1.400M4.4 11.6 3 13',
  moon: 'M13.5 9.500A6 6 0 0 1 6.5 2.500a6 6 0 1 0 7 7z',
  system: 'M2 3h12v8H2zM6 14h4M8 11v3',
  pause: 'M5 3v10M11 3v10',
  play: 'M4.5 2.500v11L13 8z',
  restart: 'M3 8a5 5 0 1 0 1.7-3.700M3 2v3.200h3.2',
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M3.5 3.500l9 9M12.5 3.500l-9 9',
  dash: 'M3 8h10',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.500V8l2.5 1.5',
  past: 'M2.5 8A5.5 5.5 0 1 0 4.5 3.700M2.5 2.500V5.500h3M8 5v3l2 1.5',
  block: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM3.8 3.800l8.4 8.4',
  shield: 'M8 1.5 13.5 3.500v4c0 3.5-2.3 5.8-5.5 7-3.2-1.2-5.5-3.5-5.5-7v-4z',
  copy: 'M5.5 5.500h8v8h-8zM3.5 10.500h-1v-8h8v1',
  open: 'M6 3H3v10h10v-3M9 2.500h4.500V7M13.5 2.5 7.5 8.5',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 7v4M8 4.800v.1',
  command: 'M6 6H4a2 2 0 1 1 2-2zM6 6v4M6 6h4M10 6V4a2 2 0 1 1 2 2zM10 6v4M6 10h4M6 10v2a2 2 0 1 1-2-2zM10 10h2a2 2 0 1 1-2 2z',
  key: 'M5 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 8h6.500v2.500M11.5 8v2',
  down: 'M4 6l4 4 4-4',
  out: 'M6 3H3v10h3M7 8h7M11 5l3 3-3 3',
  note: 'M3 2.500h10v11H3zM5.5 6h5M5.5 9h3',
  bell: 'M4 11V7a4 4 0 0 1 8 0v4l1.5 1.5h-11zM6.5 14h3',
  download: 'M8 2v8M5 7.5 8 10.500l3-3M2.5 13.500h11',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a watchman's lantern. */
export function Lantern() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="var(--accent)" strokeWidth="1.7" strokeLinejoin="round" strokeLinecap="round" aria-hidden="true">
      <path d="M12 4.2a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.200zM6.5 9 12 4.8 17.5 9zM8 9v9.500M16 9v9.500M6 18.500h12M7.5 22h9l1.5-3.500H6z" />
      <path d="M12 10.200c1.8 2 2.3 3.2 2.3 4.200a2.3 2.3 0 0 1-4.6 0c0-1 .5-2.2 2.3-4.200z" fill="var(--lantern)" stroke="none" />
    </svg>
  );
}

/** Severity, state and outcome marks: each shape is different, so that colour is never alone. */
export type Shape = 'ring' | 'triangle' | 'diamond' | 'octagon' | 'dot' | 'check' | 'cross' | 'half' | 'bar' | 'dots' | 'slash';

const SHAPES: Record<Shape, string> = {
  ring: 'M6 10.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9z',
  triangle: 'M6 1.5 11 10.500H1z',
  diamond: 'M6 .8 11.2 6 6 11.2.8 6z',
  octagon: 'M3.8.8h4.400l3 3v4.400l-3 3H3.800l-3-3V3.800z',
  dot: 'M6 9.500a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z',
  check: 'M2 6.5 4.8 9.3 10 3',
  cross: 'M2.5 2.500l7 7M9.5 2.500l-7 7',
  half: 'M6 1.500a4.5 4.5 0 0 1 0 9z',
  bar: 'M2 6h8',
  dots: 'M2 6h.1M6 6h.1M10 6h.1',
  slash: 'M6 10.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM2.8 2.800l6.4 6.4',
};
const OUTLINED = new Set<Shape>(['ring', 'check', 'cross', 'bar', 'dots', 'slash']);

export function Mark({ shape }: { shape: Shape }) {
  const outlined = OUTLINED.has(shape);
  return (
    <svg width="12" height="12" viewBox="0 0 12 12" fill={outlined ? 'none' : 'currentColor'} stroke="currentColor" strokeWidth={outlined ? 1.6 : 1} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      {shape === 'half' && <path d={SHAPES.ring} fill="none" strokeWidth="1.5" />}
      <path d={SHAPES[shape]} />
    </svg>
  );
}
