// Renders pages/*.md to public/*.html.
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {marked} from 'marked';

mkdirSync('public', {recursive: true});
for (const name of readdirSync('pages')) {
  const html = marked.parse(readFileSync(`pages/${name}`, 'utf8'));
  writeFileSync(`public/${name.replace(/md$/, 'html')}`, html);
}
