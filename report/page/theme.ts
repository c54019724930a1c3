// Puts the theme that the reader chose onto the page before anything is painted. Runs in the head.

import { applyTheme, storedTheme } from "./theme-choice.ts";

applyTheme(storedTheme());
