// The texts of all pages but the first; a file that uses one of them imports `t` from here.
import pages from './pages.json';
import { texts } from './t';

Object.assign(texts, pages);

export { t, tn, word, type Key } from './t';
