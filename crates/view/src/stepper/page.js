(async () => {
  'use strict';
  const byId = (id) => document.getElementById(id);
  // Pictures and facts are packed. A browser that cannot unpack them shows the film strip, as one
  // without scripts does.
  if (!window.DecompressionStream) return;
  const unpack = (id) => {
    const bytes = Uint8Array.from(atob(byId(id).textContent), (c) => c.charCodeAt(0));
    const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
    return new Response(plain);
  };
  const parts = await unpack('parts').json();
  for (const box of document.querySelectorAll('[data-part]')) {
    box.insertAdjacentHTML('afterbegin', parts[box.dataset.part]);
  }
  const data = parts.data;
  const steps = data.steps;
  document.documentElement.classList.add('js');
  const slider = byId('slider');
  slider.max = steps.length - 1;
  const index = new Map(steps.map((step, at) => [String(step.f), at]));
  const marks = new Map();
  for (const mark of document.querySelectorAll('#sequence g[data-f], #lanes g[data-f], #txn g[data-f]')) {
    const fact = mark.dataset.f;
    if (!marks.has(fact)) marks.set(fact, []);
    marks.get(fact).push(mark);
  }
  const svgs = document.querySelectorAll('#sequence svg, #lanes svg, #txn svg');
  let now = 0;

  // Every step that a step follows from, itself included.
  const past = (at) => {
    const seen = new Set([at]);
    const open = [at];
    while (open.length > 0) {
      for (const before of steps[open.pop()].before) {
        if (!seen.has(before)) { seen.add(before); open.push(before); }
      }
    }
    return seen;
  };

  const trace = (at) => {
    const set = at === null ? null : past(at);
    for (const svg of svgs) svg.classList.toggle('tracing', set !== null);
    steps.forEach((step, place) => {
      for (const mark of marks.get(String(step.f)) || []) {
        mark.classList.toggle('past', set !== null && set.has(place));
      }
    });
  };

  // Pictures of the logs share their marks.
  const frames = parts.frames;
  let drawn;
  const drawLog = (picture) => {
    if (picture === drawn) return;
    drawn = picture;
    const box = byId('log');
    if (picture === null) box.textContent = box.dataset.none;
    else box.innerHTML = frames.pictures[picture].map((mark) => frames.marks[mark]).join('\n');
  };

  const describe = (at) => {
    const step = steps[at];
    byId('at').textContent = step.at;
    byId('short').textContent = step.short;
    byId('text').textContent = step.text;
    byId('kind').textContent = step.kind;
    const list = byId('fields');
    list.replaceChildren();
    for (const [name, value] of step.fields) {
      const term = document.createElement('dt');
      const text = document.createElement('dd');
      term.textContent = name;
      text.textContent = value;
      list.append(term, text);
    }
  };

  const show = (at, quiet) => {
    const before = steps[now];
    for (const mark of marks.get(String(before.f)) || []) mark.classList.remove('now');
    now = Math.max(0, Math.min(steps.length - 1, at));
    const step = steps[now];
    for (const mark of marks.get(String(step.f)) || []) mark.classList.add('now');
    byId('cursor').style.top = (100 * step.y / data.height) + '%';
    const lane = byId('lane-cursor');
    lane.hidden = step.x === null || !data.width;
    if (!lane.hidden) lane.style.left = (100 * step.x / data.width) + '%';
    const txn = byId('txn-cursor');
    if (txn) {
      txn.hidden = step.t === null;
      txn.style.left = step.t + 'px';
      const wide = txn.closest('.wide');
      if (step.t < wide.scrollLeft + 60 || step.t > wide.scrollLeft + wide.clientWidth - 60) {
        wide.scrollLeft = step.t - wide.clientWidth / 2;
      }
    }
    drawLog(step.log);
    slider.value = now;
    byId('count').textContent = (now + 1) + ' / ' + steps.length + (step.bad ? ' !' : '');
    describe(now);
    if (byId('past').checked) trace(now);
    const frame = byId('sequence');
    const y = byId('cursor').offsetTop;
    if (y < frame.scrollTop + 60 || y > frame.scrollTop + frame.clientHeight - 60) {
      frame.scrollTop = y - frame.clientHeight / 2;
    }
    if (!quiet) history.replaceState(null, '', '#step=' + (now + 1));
  };

  const anomaly = (from, by) => {
    for (let at = from + by; at >= 0 && at < steps.length; at += by) {
      if (steps[at].bad) { show(at); return; }
    }
  };

  const keys = {
    ArrowLeft: () => show(now - 1),
    ArrowRight: () => show(now + 1),
    Home: () => show(0),
    End: () => show(steps.length - 1),
    '[': () => anomaly(now, -1),
    ']': () => anomaly(now, 1),
  };
  document.addEventListener('keydown', (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });
  byId('before').addEventListener('click', keys.ArrowLeft);
  byId('after').addEventListener('click', keys.ArrowRight);
  byId('bad-before').addEventListener('click', keys['[']);
  byId('bad-after').addEventListener('click', keys[']']);
  slider.addEventListener('input', () => show(Number(slider.value)));
  byId('past').addEventListener('change', () => trace(byId('past').checked ? now : null));

  const at = (event) => {
    const mark = event.target.closest('g[data-f]');
    return mark && index.has(mark.dataset.f) ? index.get(mark.dataset.f) : null;
  };
  for (const svg of svgs) {
    svg.addEventListener('click', (event) => { const place = at(event); if (place !== null) show(place); });
    svg.addEventListener('mouseover', (event) => {
      const place = at(event);
      if (place !== null) { trace(place); describe(place); }
    });
    svg.addEventListener('mouseleave', () => { trace(byId('past').checked ? now : null); describe(now); });
  }

  const save = byId('save');
  if (save) {
    save.hidden = false;
    save.addEventListener('click', async () => {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(await unpack('trace').blob());
      link.download = 'trace.jsonl';
      link.click();
    });
  }

  const wanted = () => {
    const found = /^#step=(\d+)$/.exec(location.hash);
    return found ? Number(found[1]) - 1 : null;
  };
  window.addEventListener('hashchange', () => show(wanted() ?? now, true));
  const first = steps.findIndex((step) => step.bad);
  show(wanted() ?? Math.max(0, first), wanted() !== null);
  document.documentElement.classList.add('ready');
})();
