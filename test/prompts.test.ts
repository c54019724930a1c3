import * as fc from "fast-check";
import Papa from "papaparse";
import { describe, expect, it } from "vitest";

import {
  promptsFromJson,
  promptsFromJsonLines,
  promptsFromRows,
  type Prompt,
  type PromptsResult,
} from "../lib/prompts.ts";

function promptsOf(result: PromptsResult): Prompt[] {
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result.prompts;
}

function problemsOf(result: PromptsResult): string[] {
  return result.ok ? [] : result.problems;
}

/** As the edge reads it. */
function fromCsv(text: string): PromptsResult {
  const { data, meta } = Papa.parse<Record<string, unknown>>(text, { header: true });
  return promptsFromRows(data, meta.fields ?? [], "p.csv");
}

const fromJson = (value: unknown): PromptsResult =>
  promptsFromJson(JSON.stringify(value), "p.json");
const fromLines = (text: string): PromptsResult => promptsFromJsonLines(text, "p.jsonl");

const user = (content: unknown): Prompt["messages"] => [{ role: "user", content }];

/** What holds of every result. */
function check(result: PromptsResult): void {
  if (!result.ok) {
    expect(result.problems.length).toBeGreaterThan(0);
    expect(result.problems.length).toBeLessThanOrEqual(21);
    return;
  }
  const { prompts } = result;
  expect(prompts.length).toBeGreaterThan(0);
  expect(new Set(prompts.map(({ id }) => id)).size).toBe(prompts.length);
  prompts.forEach((prompt) => {
    expect(prompt.id.trim()).not.toBe("");
    expect(prompt.messages.length).toBeGreaterThan(0);
    if (prompt.maxTokens !== undefined) expect(prompt.maxTokens).toBeGreaterThanOrEqual(1);
    // What virtual users share goes through JSON.
    expect(JSON.parse(JSON.stringify(prompt))).toEqual(prompt);
  });
}

describe("prompts of a CSV file", () => {
  it("are the column prompt, with its id and its limit", () => {
    expect(promptsOf(fromCsv("id,prompt,max_tokens\na,Hello,5\nb,Bye,\n"))).toEqual([
      { id: "a", messages: user("Hello"), text: "Hello", maxTokens: 5 },
      { id: "b", messages: user("Bye"), text: "Bye" },
    ]);
  });

  it("are numbered from 1 without ids, blank lines left out", () => {
    const prompts = promptsOf(fromCsv('prompt\nfirst\n\n"two\nlines, and a comma"\n   \n'));
    expect(prompts.map(({ id, text }) => [id, text])).toEqual([
      ["1", "first"],
      ["2", "two\nlines, and a comma"],
    ]);
  });

  it("keep the white space of a prompt, which a model sees, and none of an id", () => {
    const [only] = promptsOf(fromCsv('id,prompt\n" a ","  x\n"\n'));
    expect(only).toMatchObject({ id: "a", text: "  x\n" });
  });

  it.each([
    ["text alone", "id,text\na,x\n", "x"],
    ["prompt before text", "prompt,text\nx,y\n", "x"],
    ["text before prompt", "text,prompt\ny,x\n", "x"],
    ["spaces around the names", "id, prompt , max_tokens\na,x,3\n", "x"],
  ])("are found with %s", (_, csv, text) => {
    expect(promptsOf(fromCsv(csv))).toEqual([expect.objectContaining({ text })]);
  });

  it("have their limit with spaces around its name", () => {
    expect(promptsOf(fromCsv("prompt, max_tokens\nx, 3\n"))[0]?.maxTokens).toBe(3);
  });

  it.each([
    [
      "no such column",
      "id,question\n1,x\n",
      "p.csv: there is no column prompt (or text), but id, question",
    ],
    ["another spelling", "Prompt\nx\n", "p.csv: there is no column prompt (or text), but Prompt"],
    ["no prompt in a row", "id,prompt\na,\n", "p.csv: row 2: prompt is empty or not a text"],
    ["a row that is too short", "id,prompt\na\n", "p.csv: row 2: prompt is empty or not a text"],
    [
      "white space for a prompt",
      "id,prompt\na,  \n",
      "p.csv: row 2: prompt is empty or not a text",
    ],
    [
      "a limit of 0",
      "prompt,max_tokens\nx,0\n",
      'p.csv: row 2: max_tokens is "0": give a whole number from 1',
    ],
    ["no rows", "id,prompt\n", "p.csv has no prompts"],
    ["blank rows alone", "id,prompt\n\n,\n", "p.csv has no prompts"],
    [
      "the same id twice",
      "id,prompt\na,x\nb,y\na,z\n",
      'p.csv: row 4: id is "a", as at p.csv: row 2: give another',
    ],
  ])("are refused with %s", (_, csv, problem) => {
    expect(problemsOf(fromCsv(csv))).toEqual([problem]);
  });

  it("are refused without a header", () => {
    expect(problemsOf(promptsFromRows([], [], "p.csv"))).toEqual([
      "p.csv: there is no column prompt (or text), but no header",
    ]);
  });

  it("are refused with more cells than columns: half of a prompt would be asked", () => {
    // The comma of a prompt without quotes.
    expect(problemsOf(fromCsv("id,prompt\na,Hello, world\n"))).toEqual([
      expect.stringMatching(/^p\.csv: row 2: .*" world"/),
    ]);
    expect(promptsOf(fromCsv("id,prompt\na,Hello,,\n"))).toHaveLength(1);
  });

  it("do not take other columns for other forms of prompts", () => {
    const csv = 'id,prompt,messages,conversations,__proto__\na,x,"[1]",y,z\n';
    expect(promptsOf(fromCsv(csv))).toEqual([{ id: "a", messages: user("x"), text: "x" }]);
  });
});

describe("prompts of JSON lines", () => {
  it("take all three forms, one a line, CR LF and blank lines included", () => {
    const lines = [
      { prompt: "a" },
      { id: "m", messages: [{ role: "system", content: "be brief" }, ...user("b")] },
      { id: 7, conversations: [{ from: "human", value: "c" }] },
    ].map((each) => JSON.stringify(each));
    expect(promptsOf(fromLines(`${lines.join("\r\n\r\n")}\r\n`))).toEqual([
      { id: "1", messages: user("a"), text: "a" },
      {
        id: "m",
        messages: [{ role: "system", content: "be brief" }, ...user("b")],
        text: "be brief\n\nb",
      },
      { id: "7", messages: user("c"), text: "c" },
    ]);
  });

  it("may begin with a byte order mark", () => {
    expect(promptsOf(fromLines('\ufeff{"prompt":"a"}\n{"prompt":"b"}'))).toHaveLength(2);
  });

  it("say of each line what is wrong, in the order of the file", () => {
    const text = '{"prompt":"a"}\n{"prompt":1}\n{"prompt"\n[1]\nnull\n"x"\n';
    const problems = problemsOf(fromLines(text));
    expect(problems.map((problem) => problem.slice(0, "p.jsonl: line 2".length))).toEqual(
      [2, 3, 4, 5, 6].map((line) => `p.jsonl: line ${line}`),
    );
    expect(problems[1]).toContain("not JSON");
  });

  it("are not said to be missing where a line is not JSON", () => {
    expect(problemsOf(fromLines("{"))).toEqual([
      expect.stringContaining("p.jsonl: line 1: not JSON"),
    ]);
    expect(problemsOf(fromLines("\n \n"))).toEqual(["p.jsonl has no prompts"]);
  });

  it("count the mistakes beyond 20, of whatever kind", () => {
    const text = `${"{\n".repeat(10)}${"{}\n".repeat(30)}`;
    const problems = problemsOf(fromLines(text));
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe("and 20 more mistakes");
    expect(problemsOf(fromLines("{}\n".repeat(20)))).toHaveLength(20);
  });
});

describe("prompts of a JSON list", () => {
  it.each([
    ["an object", "{}", "p.json is not a JSON list"],
    ["null", "null", "p.json is not a JSON list"],
    ["nothing in it", "[]", "p.json has no prompts"],
    ["half of a list", "[", "p.json is not JSON: "],
    ["no text", "", "p.json is not JSON: "],
  ])("are refused with %s", (_, text, problem) => {
    expect(problemsOf(promptsFromJson(text, "p.json"))).toEqual([expect.stringContaining(problem)]);
  });

  it("may begin with a byte order mark", () => {
    expect(promptsOf(promptsFromJson('\ufeff[{"prompt":"a"}]', "p.json"))).toHaveLength(1);
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["a text", "x"],
    ["a list", [[]]],
    ["none of the forms", { question: "x" }],
    ["every form null", { prompt: null, messages: null, conversations: null }],
    ["a prompt in its prototype's name", JSON.parse('{"__proto__":{"prompt":"x"}}')],
    ["messages that are an object", { messages: { role: "user", content: "x" } }],
  ])("name the forms for %s", (_, entry) => {
    expect(problemsOf(fromJson([entry]))).toEqual([
      expect.stringContaining('p.json: entry 1: expected an object with "prompt"'),
    ]);
  });

  it.each<[string, unknown, string]>([
    ["a prompt that is a number", { prompt: 1 }, "prompt is empty or not a text"],
    ["a prompt that is a list", { prompt: ["a"] }, "prompt is empty or not a text"],
    ["an empty prompt beside messages", { prompt: "", messages: user("x") }, "prompt is empty"],
    ["no message", { messages: [] }, 'messages is not a list of {"role", "content"}'],
    ["a message that is null", { messages: [null] }, "messages is not a list"],
    ["a message without a role", { messages: [{ content: "x" }] }, "messages is not a list"],
    ["a message without content", { messages: [{ role: "user" }] }, "messages is not a list"],
    [
      "a role that is a number",
      { messages: [{ role: 1, content: "x" }] },
      "messages is not a list",
    ],
    ["no turn", { conversations: [] }, "conversations has no human turn with a value"],
    [
      "turns of gpt alone",
      { conversations: [{ from: "gpt", value: "x" }] },
      "conversations has no human turn",
    ],
    [
      "an empty turn",
      { conversations: [{ from: "human", value: " " }] },
      "conversations has no human turn",
    ],
    [
      "a turn without value",
      { conversations: [null, { from: "human" }] },
      "conversations has no human turn",
    ],
  ])("are refused with %s", (_, entry, problem) => {
    expect(problemsOf(fromJson([entry]))).toEqual([
      expect.stringContaining(`p.json: entry 1: ${problem}`),
    ]);
  });

  it("ask the first human turn of ShareGPT, whoever speaks before it", () => {
    const conversations = [
      { from: "system", value: "s" },
      { from: "gpt", value: "g" },
      { from: "user", value: "first" },
      { from: "human", value: "second" },
    ];
    expect(promptsOf(fromJson([{ conversations }]))[0]?.messages).toEqual(user("first"));
  });

  it("leave a null prompt for the other forms", () => {
    expect(promptsOf(fromJson([{ prompt: null, messages: user("x") }]))[0]?.text).toBe("x");
  });

  it("send messages with all that they have", () => {
    const messages = [
      { role: "user", name: "ann", content: "weather?" },
      { role: "assistant", content: null, tool_calls: [{ id: "c1", type: "function" }] },
      { role: "tool", tool_call_id: "c1", content: "rain" },
    ];
    const [only] = promptsOf(fromJson([{ messages }]));
    expect(only?.messages).toEqual(messages);
    expect(only?.text).toBe("weather?\n\nrain");
  });

  it("count the texts of content in parts as text", () => {
    const parts = [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: "data:," } },
      { type: "text", text: "Be brief." },
      null,
      "x",
      { type: "text", text: 1 },
    ];
    const [only] = promptsOf(fromJson([{ messages: user(parts) }]));
    expect(only?.text).toBe("What is this?\n\nBe brief.");
    expect(only?.messages).toEqual(user(parts));
  });

  it.each<[unknown, number | undefined]>([
    [1, 1],
    [128, 128],
    ["128", 128],
    [" 5 ", 5],
    [null, undefined],
    ["", undefined],
  ])("have the limit of %j", (value, expected) => {
    expect(promptsOf(fromJson([{ prompt: "x", max_tokens: value }]))[0]?.maxTokens).toBe(expected);
  });

  it.each<[unknown]>([
    [0],
    [-1],
    [1.5],
    [1e20],
    [true],
    [[5]],
    [{}],
    ["many"],
    ["0x10"],
    ["1e3"],
    [" "],
    ["9".repeat(400)],
  ])("are refused with the limit %j", (value) => {
    const problems = problemsOf(fromJson([{ prompt: "x", max_tokens: value }]));
    expect(problems).toEqual([
      expect.stringMatching(/^p\.json: entry 1: max_tokens is .*: give a whole number from 1$/),
    ]);
    expect(problems[0]?.length).toBeLessThan(200);
  });

  it.each<[unknown, string]>([
    ["q-1", "q-1"],
    [0, "0"],
    [12.5, "12.5"],
    ["", "1"],
    ["  ", "1"],
    [null, "1"],
    [true, "1"],
    [{ a: 1 }, "1"],
    [["a"], "1"],
    ["__proto__", "__proto__"],
  ])("have for the id %j the name %s", (id, expected) => {
    expect(promptsOf(fromJson([{ id, prompt: "x" }]))[0]?.id).toBe(expected);
  });

  it("have different ids, given or counted", () => {
    const entries = [
      { id: "a", prompt: "x" },
      { id: "toString", prompt: "x" },
      { id: "a", prompt: "y" },
      { id: "5", prompt: "x" },
      { prompt: "fifth" },
    ];
    expect(problemsOf(fromJson(entries))).toEqual([
      'p.json: entry 3: id is "a", as at p.json: entry 1: give another',
      'p.json: entry 5: id is "5", as at p.json: entry 4: give another',
    ]);
  });

  it("are not changed by names of JavaScript's own", () => {
    const entry = JSON.parse(
      '{"__proto__":{"max_tokens":5},"constructor":1,"prompt":"x","toString":"y"}',
    ) as unknown;
    expect(promptsOf(fromJson([entry]))).toEqual([{ id: "1", messages: user("x"), text: "x" }]);
    expect(({} as Record<string, unknown>)["max_tokens"]).toBeUndefined();
  });
});

describe("any file", () => {
  const entry = fc.oneof(
    fc.json().map((text) => JSON.parse(text) as unknown),
    fc.record(
      {
        id: fc.anything(),
        prompt: fc.oneof(fc.string(), fc.constant(null)),
        messages: fc.array(fc.record({ role: fc.string(), content: fc.jsonValue() })),
        conversations: fc.array(
          fc.record({ from: fc.constantFrom("human", "gpt"), value: fc.string() }),
        ),
        max_tokens: fc.oneof(fc.integer(), fc.string()),
      },
      { requiredKeys: [] },
    ),
  );

  it("gives prompts or problems, and never throws", () => {
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const lines = entries.map((each) => JSON.stringify(each) ?? "null");
        check(promptsFromJson(`[${lines.join(",")}]`, "p.json"));
        check(fromLines(lines.join("\n")));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("gives them for any text at all", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        check(fromCsv(text));
        check(fromLines(text));
        check(promptsFromJson(text, "p.json"));
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  it("gives back the texts of a CSV file, whatever stands in them", () => {
    const text = fc.string({ unit: "grapheme" }).filter((each) => each.trim() !== "");
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), (texts) => {
        const csv = Papa.unparse(
          texts.map((prompt, index) => ({ id: `p${index}`, prompt })),
          { quotes: true },
        );
        expect(promptsOf(fromCsv(csv)).map((each) => each.text)).toEqual(texts);
      }),
      { seed: 3, numRuns: 200 },
    );
  });
});
