// Chooses the look before the first paint, so that nobody is blinded at 3 a.m.
(function () {
  var kept = {};
  try { kept = JSON.parse(localStorage.getItem('sereno-preferences') || '{}') || {}; } catch { kept = {}; }
  var theme = String(kept.theme || 'system');
  var dark = /dark$/.test(theme) || (!/light$/.test(theme) && matchMedia('(prefers-color-scheme: dark)').matches);
  var root = document.documentElement;
  root.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
  root.toggleAttribute('data-contrast', /^contrast/.test(theme));
  root.toggleAttribute('data-compact', kept.density === 'compact');
  root.toggleAttribute('data-still', kept.reduced_motion === true);
})();
