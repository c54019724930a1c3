// The colours of the style sheet, as a canvas takes them. Knows their names; the style sheet knows their values.

const known = new Map<string, string>();
let probe: HTMLElement | undefined;

/** The value of a custom property such as `--ink` in the theme of the moment. */
export function colour(name: string): string {
  const held = known.get(name);
  if (held !== undefined) return held;
  if (probe === undefined) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${name})`;
  const value = getComputedStyle(probe).color;
  known.set(name, value);
  return value;
}

/** Forgets all values: the theme has changed. */
export function forgetColours(): void {
  known.clear();
}
