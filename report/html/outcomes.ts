// How sessions ended: counts, and each kind of failure with examples. Knows layout and where a session is found.

import { FAILURE_KINDS, type FailureKindDefinition } from "../../lib/outcome.ts";
import type { Results } from "../../lib/results.ts";
import type { SessionRow } from "../../lib/session-row.ts";
import type { Report } from "../build.ts";
import { markup, type Markup } from "./markup.ts";
import { grouped } from "./numbers.ts";

/** Examples of each kind. */
const EXAMPLES = 3;

/** The disjoint counts. */
export function outcomeCounts({ sessions }: Results): Markup {
  const { started, finished, failed, aborted, interrupted } = sessions;
  const counts: [name: string, value: number, words: string][] = [
    ["started", started, ""],
    ["finished", finished, ""],
    ["failed", failed, ""],
    ["aborted", aborted, "by us"],
    ["interrupted", interrupted, "no end seen"],
  ];
  return markup`<dl class="counts">
    ${counts.map(
      ([name, value, words]) =>
        markup`<div class="${name}">
          <dt>${name}${words === "" ? undefined : markup` <small>${words}</small>`}</dt>
          <dd>${grouped(value)}</dd>
        </div>`,
    )}
  </dl>`;
}

/** Failures by kind, with what they mean and examples. */
export function kindTable({ results, sessions }: Report): Markup | undefined {
  const kinds = Object.entries(results.sessions.by_kind ?? {});
  if (kinds.length === 0) return undefined;
  const rows = kinds.map(([kind, count]) => {
    const known: FailureKindDefinition | undefined = Object.hasOwn(FAILURE_KINDS, kind)
      ? FAILURE_KINDS[kind as keyof typeof FAILURE_KINDS]
      : undefined;
    const examples = sessions.filter((row) => row.kind === kind).slice(0, EXAMPLES);
    return markup`<tr>
      <th scope="row"><code>${kind}</code></th>
      <td class="num">${grouped(count)}</td>
      <td>
        ${known?.meaning ?? ""}${known === undefined ? undefined : markup`<br /><small>${known.advice}</small>`}
      </td>
      <td>${examples.map(example)}</td>
    </tr> `;
  });
  return markup`<div class="scroll">
    <table class="kinds">
      <caption>
        Failures by kind
      </caption>
      <thead>
        <tr>
          <th scope="col">kind</th>
          <th scope="col" class="num">count</th>
          <th scope="col">what it means, what to look at</th>
          <th scope="col">examples</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

function example({ session, code, message }: SessionRow): Markup {
  const words = [code, message].filter((text) => text !== undefined && text !== "").join(": ");
  return markup`<div class="example">
    <a href="${sessionLink(session)}">${session}</a> <bdi>${words}</bdi>
  </div>`;
}

/** The link to a session of this page. */
export function sessionLink(session: string): string {
  return `#session-${encodeURIComponent(session)}`;
}
