'use strict';
// What the page adds to its own figures: sortable tables, the picture of all transcripts, their
// table, the map of slices. Text is only ever set as text.
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const [ID, FILE, LINE, BATCH, STANDING, SCORE, SPREAD, DISAGREES, REVIEW, EXCHANGES, TOKENS, PROMPTS, ANSWERS, CUT] = Array(14).keys();
  const PAGE = 50;
  const signs = { Y: '✓', N: '✕', X: '✕', A: '–', U: '?', '-': '·' };
  const words = { Y: 'YES', N: 'NO', X: 'NA, which is a failure here', A: 'NA', U: 'unscored', '-': 'not asked' };

  function make(tag, attributes = {}, ...children) {
    const svg = ['svg', 'circle', 'rect', 'path', 'line', 'text', 'title'].includes(tag);
    const element = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
      else if (value !== null && value !== false) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }
  const number = new Intl.NumberFormat('en');
  const shown = value => value === null ? '–' : number.format(value);

  // A report opened from disk knows where it is, so an editor's own address can be made here; the
  // page itself holds no path of any machine.
  let scheme = '';
  function address(row) {
    const href = data.hrefs[row[FILE]];
    if (!scheme) return `${href}#L${row[LINE]}`;
    return `${scheme}://file${new URL(href, location.href).pathname}:${row[LINE]}`;
  }
  const place = row => make('a', { href: address(row) }, `${data.files[row[FILE]]}:${row[LINE]}`);

  function compare(a, b) {
    const none = value => value === null || value === undefined || value === '';
    if (none(a) || none(b)) return none(a) - none(b);
    return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
  }

  function sortable(table) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make('button', { type: 'button' }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener('click', () => {
        const up = head.getAttribute('aria-sort') !== 'ascending';
        heads.forEach(other => other.removeAttribute('aria-sort'));
        head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
        const value = row => {
          const cell = row.cells[column];
          return cell.dataset.value === undefined ? (cell.textContent === '–' ? null : cell.textContent) : Number(cell.dataset.value);
        };
        const rows = [...body.rows].map(row => [value(row), row]);
        rows.sort(([a], [b]) => {
          const order = compare(a, b);
          return (a === null || b === null) ? order : up ? order : -order;
        });
        body.append(...rows.map(([, row]) => row));
      });
    });
  }
  document.querySelectorAll('table.sortable').forEach(sortable);

  function pager(name, redraw) {
    let page = 0, pages = 1;
    const status = make('span', { role: 'status' });
    const to = move => () => { page = Math.min(Math.max(page + move, 0), pages - 1); redraw(); };
    const back = make('button', { type: 'button', onclick: to(-1) }, 'Previous');
    const on = make('button', { type: 'button', onclick: to(1) }, 'Next');
    const first = make('button', { type: 'button', onclick: to(-1e9) }, 'First');
    return {
      element: make('div', { class: 'pager', role: 'group', 'aria-label': `Pages of ${name}` }, first, back, on, status),
      reset() { page = 0; },
      of(rows, size, what) {
        pages = Math.max(Math.ceil(rows.length / size), 1);
        page = Math.min(page, pages - 1);
        first.disabled = back.disabled = page === 0;
        on.disabled = page === pages - 1;
        const from = page * size, part = rows.slice(from, from + size);
        status.textContent = rows.length ? `${shown(from + 1)} to ${shown(from + part.length)} of ${shown(rows.length)} ${what}` : `no ${what}`;
        return { part, from };
      },
    };
  }

  // ---- every transcript and every criterion
  function grid(root) {
    const before = [
      ['transcript', row => row[ID]], ['place', row => `${data.files[row[FILE]]}:${String(row[LINE]).padStart(9)}`],
      ['standing', row => row[STANDING]], ['score', row => row[SCORE]],
    ];
    const after = [
      ['spread', row => row[SPREAD]],
      ['review', row => row[REVIEW]], ['exchanges', row => row[EXCHANGES]], ['tokens', row => row[TOKENS]],
    ];
    const state = { text: '', standing: '', criterion: '', batch: '', judge: 0, sort: null, up: true };
    const letter = (row, at) => (row[ANSWERS][state.judge] || row[ANSWERS][0])[at] || '-';
    const fails = value => value === 'N' || value === 'X';
    const pages = pager('transcripts', draw);
    const field = (label, control) => make('label', {}, label, control);
    const changed = key => event => { state[key] = key === 'judge' ? Number(event.target.value) : event.target.value; pages.reset(); draw(); };
    const select = (key, options) => make('select', { onchange: changed(key) }, ...options.map(([value, text]) => make('option', { value }, text)));
    const special = [['disagree', 'judges disagree'], ['unread', 'unread by people'], ['over', 'over the token limit']];
    const standings = ['passed', 'failed', 'gated', 'incomplete', 'too-short'].filter(name => data.rows.some(row => row[STANDING] === name));
    const judges = data.judges.length > 1 ? [field('Answers of', select('judge', [[0, 'the strictest'], ...data.judges.map((name, at) => [at + 1, name])]))] : [];
    const tools = make('div', { class: 'tools', role: 'search', 'aria-label': 'Filter transcripts' },
      field('Search id, file, batch', make('input', { type: 'search', oninput: changed('text') })),
      field('Show', select('standing', [['', 'all'], ...standings.map(name => [name, name]), ...special])),
      field('Failing', select('criterion', [['', 'any or none'], ...data.criteria.map((c, at) => [at, `${c.id} ${c.name}`])])),
      field('Batch', select('batch', [['', 'all'], ...data.batches.map((name, at) => [at, name])])), ...judges,
      ...(location.protocol === 'file:' ? [field('Places open in', make('select', { onchange: event => { scheme = event.target.value; draw(); } },
        ...[['', 'the browser'], ['vscode', 'VS Code'], ['vscodium', 'VSCodium'], ['cursor', 'Cursor'], ['zed', 'Zed']].map(([value, text]) => make('option', { value }, text))))] : []));
    const labels = make('div', { class: 'heads', 'aria-hidden': 'true' }, ...data.criteria.map(c => make('span', { title: c.name }, data.criteria.length > 30 ? '' : c.id)));
    labels.style.gridTemplateColumns = `repeat(${data.criteria.length}, 1fr)`;
    const canvas = make('canvas', { role: 'img', height: 10 });
    const key = make('ul', { class: 'key', 'aria-label': 'Signs' },
      ...[['Y', 'YES'], ['N', 'NO, or NA where that is a failure'], ['A', 'NA'], ['U', 'unscored'], ['-', 'not asked']].map(([c, text]) => make('li', {}, make('b', { class: c === '-' ? 'O' : c }, signs[c]), text)),
      make('li', {}, make('b', { class: 'N G' }, '✕'), 'a safety gate failed'));
    const plain = ([name, value]) => head(name, value, '');
    const heads = [...before.map(plain), ...data.criteria.map((c, at) => head(c.id, row => 'NXU-AY'.indexOf(letter(row, at)), c)), ...after.map(plain)];
    const body = make('tbody');
    const table = make('table', { class: 'cells' }, make('caption', {}, 'Transcripts by criteria'), make('thead', {}, make('tr', {}, ...heads)), body);
    root.append(tools, key, labels, canvas, pages.element, make('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Table of transcripts' }, table));

    function head(name, value, criterion) {
      const button = make('button', { type: 'button', title: criterion ? criterion.name : null, 'aria-label': criterion ? `${name}, ${criterion.name}${criterion.gate ? ', safety gate' : ''}` : null }, (criterion && criterion.gate ? '⚑' : '') + name);
      const cell = make('th', { scope: 'col', class: criterion ? 'a' : null }, button);
      button.addEventListener('click', () => {
        state.up = state.sort === value ? !state.up : true;
        state.sort = value;
        heads.forEach(other => other.removeAttribute('aria-sort'));
        cell.setAttribute('aria-sort', state.up ? 'ascending' : 'descending');
        pages.reset();
        draw();
      });
      return cell;
    }
    function keeps(row) {
      const { text, standing, criterion, batch } = state;
      if (batch !== '' && row[BATCH] !== Number(batch)) return false;
      if (criterion !== '' && !fails(letter(row, Number(criterion)))) return false;
      if (standing === 'disagree' ? !row[DISAGREES] : standing === 'unread' ? row[REVIEW] !== 'unread' : standing === 'over' ? !(row[TOKENS] > data.limit) : standing && row[STANDING] !== standing) return false;
      const wanted = text.trim().toLowerCase();
      return !wanted || `${row[ID]} ${data.files[row[FILE]]} ${data.batches[row[BATCH]]}`.toLowerCase().includes(wanted);
    }
    function draw() {
      const rows = data.rows.filter(keeps);
      if (state.sort) {
        const keyed = rows.map(row => [state.sort(row), row]);
        keyed.sort(([a], [b]) => { const order = compare(a, b); return a === null || b === null || state.up ? order : -order; });
        keyed.forEach(([, row], at) => { rows[at] = row; });
      }
      const { part, from } = pages.of(rows, PAGE, 'transcripts');
      body.replaceChildren(...part.map(line));
      picture(rows, from, part.length);
    }
    function line(row) {
      const text = (value, kind = 'td', attributes = {}) => make(kind, attributes, value);
      return make('tr', {}, text(row[ID], 'th', { scope: 'row', title: row[ID] }), text(place(row), 'td', { class: 'place', title: `${data.files[row[FILE]]}:${row[LINE]}` }), text(row[STANDING]),
        text(row[SCORE] === null ? '–' : row[SCORE].toFixed(2), 'td', { class: 'number' }),
        ...data.criteria.map((c, at) => {
          const value = letter(row, at), failed = fails(value);
          return make('td', { class: `a ${value === '-' ? 'O' : value}${failed && c.gate ? ' G' : ''}`, title: `${c.id} ${c.name}: ${words[value]}`, 'aria-label': words[value] }, signs[value]);
        }),
        text(row[SPREAD] === null ? '–' : row[SPREAD].toFixed(2) + (row[DISAGREES] ? ' ≠' : ''), 'td', { class: 'number', title: row[DISAGREES] ? 'the judges disagree' : null }),
        text(row[REVIEW]), text(shown(row[EXCHANGES]), 'td', { class: 'number' }), text(shown(row[TOKENS]), 'td', { class: 'number' }));
    }
    let drawn = null;
    function picture(rows, from, count) {
      drawn = [rows, from, count];
      const width = Math.max(canvas.clientWidth, 200), ratio = window.devicePixelRatio || 1;
      const height = Math.min(Math.max(rows.length * 6, 24), 300);
      canvas.height = Math.round(height * ratio);
      canvas.width = Math.round(width * ratio);
      canvas.style.height = `${height}px`;
      canvas.setAttribute('aria-label', `Picture of ${shown(rows.length)} transcripts by ${data.criteria.length} criteria: ${shown(rows.filter(row => [...row[ANSWERS][0]].some(fails)).length)} fail on one or more. The table below says the same in words.`);
      const pen = canvas.getContext('2d'), style = getComputedStyle(document.documentElement), colour = name => style.getPropertyValue(name).trim();
      pen.scale(ratio, ratio);
      pen.clearRect(0, 0, width, height);
      const wide = width / Math.max(data.criteria.length, 1), lines = Math.min(rows.length, Math.round(height * ratio)), high = height / Math.max(lines, 1);
      const rank = { N: 4, X: 4, U: 3, Y: 2, A: 1, '-': 0 };
      for (let at = 0; at < lines; at++) {
        // Where several transcripts share a line of pixels, the worst answer is shown.
        const first = Math.floor(at * rows.length / lines), last = Math.max(Math.floor((at + 1) * rows.length / lines), first + 1);
        for (let column = 0; column < data.criteria.length; column++) {
          let worst = '-';
          for (let r = first; r < last; r++) { const value = letter(rows[r], column); if (rank[value] > rank[worst]) worst = value; }
          if (worst === '-' || worst === 'A') continue;
          const x = column * wide + 1, y = at * high;
          pen.fillStyle = colour(fails(worst) ? (data.criteria[column].gate ? '--gate' : '--bad') : worst === 'U' ? '--soft' : '--yes');
          // Failures fill the cell, unscored half of it: told apart by size as well.
          if (worst === 'U') pen.fillRect(x + wide / 4, y, wide / 2 - 2, Math.max(high - 0.6, 0.5));
          else pen.fillRect(x, y, wide - 2, Math.max(high - (high > 3 ? 1 : 0), 0.5));
        }
      }
      if (rows.length > count) {
        pen.strokeStyle = colour('--focus');
        pen.lineWidth = 2;
        pen.strokeRect(1, from / rows.length * height, width - 2, Math.max(count / rows.length * height, 3));
      }
    }
    const again = () => drawn && picture(...drawn);
    window.addEventListener('resize', again);
    window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
    draw();
  }

  // ---- where each transcript is cut
  function map(root) {
    const cut = data.rows.filter(row => row[CUT]);
    const pages = pager('the slice map', draw);
    const box = make('div', { class: 'drawing', tabindex: 0, role: 'group', 'aria-label': 'Slice map' });
    root.append(pages.element, box);
    function draw() {
      const { part } = pages.of(cut, 25, 'transcripts');
      const most = Math.max(...part.map(row => row[EXCHANGES]), 3), left = 190, wide = 700;
      const x = n => left + (n - 0.5) / most * (wide - left);
      const svg = make('svg', { class: 'plot', role: 'img', width: 760, height: part.length * 20 + 26, viewBox: `0 0 760 ${part.length * 20 + 26}`, 'aria-label': `Slice map of ${part.length} transcripts; the table below lists the same cuts.` });
      part.forEach((row, at) => {
        const y = at * 20 + 12, [validation, points, dropped] = row[CUT];
        const name = row[ID].length > 24 ? `${row[ID].slice(0, 23)}…` : row[ID];
        svg.append(make('text', { class: 'label', x: left - 12, y: y + 4, 'text-anchor': 'end' }, name), make('line', { class: 'grid', x1: x(1), x2: x(row[EXCHANGES]), y1: y, y2: y }));
        for (const point of points) {
          const title = make('title', {}, `${row[ID]}: exchanges 1 to ${point}, ${validation ? 'validation' : 'train'}`);
          svg.append(validation ? make('rect', { class: 'fill-other', x: x(point) - 5, y: y - 5, width: 10, height: 10 }, title) : make('circle', { class: 'fill-main', cx: x(point), cy: y, r: 5 }, title));
        }
        for (const point of dropped) svg.append(make('text', { class: 'warn', x: x(point), y: y + 5, 'text-anchor': 'middle' }, '✕', make('title', {}, `${row[ID]}: ${point} dropped`)));
      });
      const step = Math.max(Math.ceil(most / 12), 1);
      for (let n = 1; n <= most; n += step) svg.append(make('text', { class: 'tick', x: x(n), y: part.length * 20 + 20, 'text-anchor': 'middle' }, n));
      box.replaceChildren(svg);
    }
    draw();
  }

  const root = document.getElementById('grid');
  if (root && data.rows.length) grid(root);
  const room = document.getElementById('map');
  if (room) map(room);
  document.documentElement.dataset.ready = 'yes';
})();
