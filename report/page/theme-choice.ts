// Which theme the reader wants: the system's, light or dark. Knows where it is kept; draws nothing.

/** What can be chosen. */
export const THEMES = ["auto", "light", "dark"] as const;

/** The reader's choice. */
export type Theme = (typeof THEMES)[number];

const KEY = "k6-realtime-theme";

/** The choice of the last visit; a browser that keeps nothing for files has none. */
export function storedTheme(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === stored) ?? "auto";
  } catch {
    return "auto";
  }
}

/** Keeps the choice, where the browser lets it. */
export function storeTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // A page from a file may have no storage: the choice then lasts as long as the page.
  }
}

/** Puts a theme onto the page. */
export function applyTheme(theme: Theme): void {
  document.documentElement.dataset["theme"] = theme;
}
