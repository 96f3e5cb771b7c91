// Elements without HTML: the page runs under Trusted Types that allow none.

/** Makes an element. A function among the attributes is a listener; `true` sets an attribute, null and false leave it out. */
export function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

const drawn = new WeakMap();

/** Shows items as children of `host`. What has not changed stays the same node, and so keeps focus and selection. */
export function draw(host, items, keyOf, make) {
  const before = drawn.get(host) ?? new Map();
  const now = new Map();
  for (const item of items) {
    const [key, content] = [keyOf(item), JSON.stringify(item)];
    const known = before.get(key);
    now.set(key, known?.content === content ? known : { content, node: make(item) });
  }
  drawn.set(host, now);
  const nodes = [...now.values()].map(({ node }) => node);
  const stays = new Set(nodes);
  const hadFocus = host.contains(document.activeElement);
  for (const { node } of before.values()) if (!stays.has(node)) node.remove();
  nodes.forEach((node, place) => {
    if (host.children[place] !== node) host.insertBefore(node, host.children[place] ?? null);
  });
  // who was on something that is gone goes on from the heading, not from the top of the page
  if (hadFocus && !host.contains(document.activeElement)) document.querySelector("h2[tabindex]")?.focus();
}

/** Shows what `make` makes of a value, anew only if the value has changed. */
export function drawOne(host, value, make) {
  draw(host, value === null || value === undefined ? [] : [value], () => "one", make);
}

let numbers = 0;

/** An id that no other element of the page has. */
export function newId() {
  numbers += 1;
  return `n${numbers}`;
}
