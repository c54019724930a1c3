import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compileCheck, findMismatch, type JsonSchema } from "../lib/json-schema.ts";

const PERSON: JsonSchema = {
  type: "object",
  required: ["name"],
  properties: {
    name: { type: "string" },
    age: { type: "integer", minimum: 0 },
    size: { type: "number" },
    is_tall: { type: "boolean" },
    kind: { type: "string", enum: ["cat", "dog"] },
    version: { const: "a/1" },
    list: { type: "array", items: { type: "number" } },
    pairs: { type: "array", items: { type: "array", minItems: 2, items: { type: "number" } } },
    span: { type: "array", prefixItems: [{ type: "string" }, { type: "number" }] },
    either: { anyOf: [{ type: "number" }, { type: "array", items: { type: "number" } }] },
    counts: { type: "object", additionalProperties: { type: "integer" } },
    known: { type: "object", propertyNames: { enum: ["a"] } },
    nothing: { type: "null" },
  },
};

describe("a check against a description", () => {
  it.each([
    [{ name: "x" }],
    [{ name: "x", other: { anything: [1] } }],
    [
      {
        name: "",
        age: 0,
        size: -1.5,
        is_tall: false,
        kind: "dog",
        version: "a/1",
        list: [],
        pairs: [[1, 2, 3]],
        span: ["a", 1, "more"],
        either: [1],
        counts: { a: 1 },
        known: { a: "b" },
        nothing: null,
      },
    ],
    [{ name: "x", either: 1, span: ["a"] }],
  ])("finds nothing wrong with %j", (value) => {
    expect(findMismatch(PERSON, value)).toBeUndefined();
    expect(compileCheck(PERSON)(value)).toBe(true);
  });

  it.each([
    [null, "the value is null, not an object"],
    [[], "the value is [], not an object"],
    ["x", 'the value is "x", not an object'],
    [{}, "name is missing"],
    [{ name: 1 }, "name is 1, not a text"],
    [{ name: null }, "name is null, not a text"],
    [{ name: "x", age: 1.5 }, "age is 1.5, not a whole number"],
    [{ name: "x", age: -1 }, "age is -1, not at least 0"],
    [{ name: "x", age: "1" }, 'age is "1", not a number'],
    [{ name: "x", size: null }, "size is null, not a number"],
    [{ name: "x", is_tall: 0 }, "is_tall is 0, not true or false"],
    [{ name: "x", kind: "cow" }, 'kind is "cow", not one of cat, dog'],
    [{ name: "x", kind: 1 }, "kind is 1, not one of cat, dog"],
    [{ name: "x", version: "a/2" }, 'version is "a/2", not "a/1"'],
    [{ name: "x", list: [1, null] }, "list[1] is null, not a number"],
    [{ name: "x", list: {} }, "list is {}, not a list"],
    [{ name: "x", pairs: [[1]] }, "pairs[0] has 1 elements, not 2"],
    [{ name: "x", pairs: [[1, 2], 3] }, "pairs[1] is 3, not a list"],
    [{ name: "x", span: ["a", "b"] }, 'span[1] is "b", not a number'],
    [{ name: "x", either: ["a"] }, 'either[0] is "a", not a number'],
    [{ name: "x", either: "a" }, 'either is "a", not of a type that is allowed'],
    [{ name: "x", counts: { a: 1, b: 0.5 } }, "counts.b is 0.5, not a whole number"],
    [{ name: "x", known: { b: 1 } }, "known.b is not one of the known names"],
    [{ name: "x", nothing: 0 }, "nothing is 0, not null"],
  ])("says of %j that %s", (value, problem) => {
    expect(findMismatch(PERSON, value)).toBe(problem);
    expect(compileCheck(PERSON)(value)).toBe(false);
  });

  it("agrees with its fast form on any value", () => {
    const check = compileCheck(PERSON);
    const names = fc.constantFrom(...Object.keys(PERSON.properties ?? {}));
    const plain = fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.nat(3), fc.constant(null));
    const any = fc.oneof(
      plain,
      fc.array(fc.oneof(plain, fc.array(plain))),
      fc.dictionary(fc.string(), plain),
    );
    fc.assert(
      fc.property(fc.dictionary(names, any), (value) => {
        expect(check(value)).toBe(findMismatch(PERSON, value) === undefined);
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it("cuts what it shows", () => {
    expect(findMismatch({ type: "number" }, "a".repeat(1000))).toHaveLength(
      "the value is , not a number".length + 60,
    );
  });

  it("takes no inherited name for a described one", () => {
    const schema: JsonSchema = { type: "object", additionalProperties: { type: "number" } };
    expect(findMismatch(schema, { toString: "x" })).toBe('toString is "x", not a number');
  });
});
