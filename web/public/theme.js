// Chooses light or dark before the first paint, so that nobody is blinded at 3 a.m.
(function () {
  var stored = null;
  try { stored = localStorage.getItem('sereno-colour-scheme'); } catch { stored = null; }
  var dark = stored === 'dark' || (stored !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
