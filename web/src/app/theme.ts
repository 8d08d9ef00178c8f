import { createTheme, type MantineColorsTuple } from '@mantine/core';

// The shades are asked for by Mantine; what is painted comes from tokens.css.
const accent: MantineColorsTuple = [
  '#e2f0f6', '#c6e1ec', '#9fd4e8', '#74c2e1', '#3fa0c4', '#1c81a8', '#0b6285', '#0a5877', '#084a66', '#053e56',
];

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 6, dark: 3 },
  colors: { accent },
  fontFamily: 'var(--sans)',
  fontFamilyMonospace: 'var(--mono)',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '18px' },
  defaultRadius: '5px',
  cursorType: 'pointer',
  respectReducedMotion: true,
});
