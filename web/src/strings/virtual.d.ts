declare module 'virtual:texts/frame' {
  const texts: Record<string, string>;
  export default texts;
}
declare module 'virtual:texts/rest' {
  const texts: Record<string, string>;
  export default texts;
}
