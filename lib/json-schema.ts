// A small part of JSON Schema (2020-12): enough to describe our files, to check a parsed value against the description,
// and to publish it. Knows values; knows no file of ours.

/** The keywords that {@link findMismatch} checks. Whatever a description does not mention is allowed. */
export interface JsonSchema {
  readonly $schema?: string;
  readonly $id?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: "object" | "array" | "string" | "number" | "integer" | "boolean" | "null";
  readonly const?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  /** Of the properties that are not named. */
  readonly additionalProperties?: JsonSchema;
  /** The names of the properties; `enum` only. */
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
  readonly minItems?: number;
  readonly anyOf?: readonly JsonSchema[];
}

/**
 * Finds the first place where a value is not as described.
 *
 * @param value - What `JSON.parse` gave.
 * @returns A sentence such as `utterances[0].t0_ms is "x", not a number`; `undefined` if all is well. Linear in the
 *   size of the value, times the alternatives of an `anyOf`.
 */
export function findMismatch(schema: JsonSchema, value: unknown, place = ""): string | undefined {
  if (schema.anyOf !== undefined) return mismatchOfAny(schema.anyOf, value, place);
  if (schema.const !== undefined && value !== schema.const)
    return tell(place, value, JSON.stringify(schema.const));
  if (schema.enum !== undefined && !schema.enum.includes(value as string))
    return tell(place, value, `one of ${schema.enum.join(", ")}`);
  switch (schema.type) {
    case "object":
      return isObject(value)
        ? mismatchOfObject(schema, value, place)
        : tell(place, value, "an object");
    case "array":
      return Array.isArray(value)
        ? mismatchOfArray(schema, value, place)
        : tell(place, value, "a list");
    case "number":
    case "integer":
      return mismatchOfNumber(schema, value, place);
    case "string":
      return typeof value === "string" ? undefined : tell(place, value, "a text");
    case "boolean":
      return typeof value === "boolean" ? undefined : tell(place, value, "true or false");
    case "null":
      return value === null ? undefined : tell(place, value, "null");
    default:
      return undefined;
  }
}

/** Says whether a value is as described. */
export type Check = (value: unknown) => boolean;

/**
 * Makes a check that is many times as fast as {@link findMismatch} and finds the same values good, but cannot say what is
 * wrong. For what `JSON.parse` gave: a property is there or not, and never `undefined`.
 */
export function compileCheck(schema: JsonSchema): Check {
  const { anyOf, const: only, enum: names, type, minimum = Number.NEGATIVE_INFINITY } = schema;
  if (anyOf !== undefined) return compileAny(anyOf);
  if (only !== undefined) return (value) => value === only;
  if (names !== undefined) return (value) => names.includes(value as string);
  switch (type) {
    case "object":
      return compileObject(schema);
    case "array":
      return compileArray(schema);
    case "number":
      return (value) => typeof value === "number" && value >= minimum;
    case "integer":
      return (value) => Number.isInteger(value) && (value as number) >= minimum;
    case "string":
      return (value) => typeof value === "string";
    case "boolean":
      return (value) => typeof value === "boolean";
    default:
      return (value) => findMismatch(schema, value) === undefined;
  }
}

function compileAny(alternatives: readonly JsonSchema[]): Check {
  const checks = alternatives.map(compileCheck);
  return (value) => {
    for (let index = 0; index < checks.length; index++)
      if (checks[index]?.(value) === true) return true;
    return false;
  };
}

/** What is known of a property. */
interface CompiledField {
  readonly check: Check | undefined;
  readonly isRequired: boolean;
}

function compileObject(schema: JsonSchema): Check {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema;
  // Looked up by the value's own names: most of what is described is not in most values.
  const fields = new Map<string, CompiledField>();
  const names = new Set([...Object.keys(properties), ...required]);
  const rest = additionalProperties === undefined ? undefined : compileCheck(additionalProperties);
  const isRequired = new Set(required);
  names.forEach((name) => {
    const described = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const check = described === undefined ? rest : compileCheck(described);
    fields.set(name, { check, isRequired: isRequired.has(name) });
  });
  const allowed = propertyNames?.enum;
  return (value) => {
    if (!isObject(value)) return false;
    let missing = isRequired.size;
    // Faster than the list of names; what JSON.parse gave has no inherited ones.
    for (const name in value) {
      const field = fields.get(name);
      if (field?.isRequired === true) missing--;
      const check = field === undefined ? rest : field.check;
      if (check !== undefined && !check(value[name])) return false;
      if (allowed?.includes(name) === false) return false;
    }
    return missing === 0;
  };
}

function compileArray(schema: JsonSchema): Check {
  const { items = {}, prefixItems = [], minItems = 0 } = schema;
  if (prefixItems.length === 0 && minItems === 0 && isPlainNumber(items)) return isListOfNumbers;
  const checks = prefixItems.map(compileCheck);
  const rest = compileCheck(items);
  return (value) => {
    if (!Array.isArray(value) || value.length < minItems) return false;
    for (let index = 0; index < value.length; index++)
      if (!(checks[index] ?? rest)(value[index])) return false;
    return true;
  };
}

function isPlainNumber({ anyOf, const: only, enum: names, type, minimum }: JsonSchema): boolean {
  return type === "number" && [anyOf, only, names, minimum].every((each) => each === undefined);
}

function isListOfNumbers(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (let index = 0; index < value.length; index++)
    if (typeof value[index] !== "number") return false;
  return true;
}

function mismatchOfNumber(schema: JsonSchema, value: unknown, place: string): string | undefined {
  if (typeof value !== "number") return tell(place, value, "a number");
  if (schema.type === "integer" && !Number.isInteger(value))
    return tell(place, value, "a whole number");
  if (schema.minimum !== undefined && value < schema.minimum)
    return tell(place, value, `at least ${schema.minimum}`);
  return undefined;
}

function mismatchOfObject(
  schema: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  place: string,
): string | undefined {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema;
  const missing = required.find((name) => value[name] === undefined);
  if (missing !== undefined) return `${join(place, missing)} is missing`;
  for (const name of Object.keys(value)) {
    const each = value[name];
    const described = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (propertyNames?.enum?.includes(name) === false)
      return `${join(place, name)} is not one of the known names`;
    const problem =
      described === undefined ? undefined : findMismatch(described, each, join(place, name));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function mismatchOfArray(
  schema: JsonSchema,
  value: readonly unknown[],
  place: string,
): string | undefined {
  const { items, prefixItems = [], minItems = 0 } = schema;
  if (value.length < minItems) return `${place} has ${value.length} elements, not ${minItems}`;
  for (let index = 0; index < value.length; index++) {
    const each: unknown = value[index];
    const described = prefixItems[index] ?? items;
    const problem =
      described === undefined ? undefined : findMismatch(described, each, `${place}[${index}]`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** The problem of the alternative of the value's type, the last one if there are several. */
function mismatchOfAny(
  alternatives: readonly JsonSchema[],
  value: unknown,
  place: string,
): string | undefined {
  let problem: string | undefined;
  for (const alternative of alternatives) {
    // An error's text costs more than a check: only the alternative that may fit makes one.
    if (alternative.type !== undefined && alternative.type !== typeOf(value)) continue;
    problem = findMismatch(alternative, value, place);
    if (problem === undefined) return undefined;
  }
  return problem ?? tell(place, value, "of a type that is allowed");
}

function typeOf(value: unknown): JsonSchema["type"] | "undefined" {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  return type === "object" || type === "string" || type === "number" || type === "boolean"
    ? type
    : "undefined";
}

function tell(place: string, value: unknown, expected: string): string {
  const text = JSON.stringify(value) ?? "undefined";
  const seen = text.length <= 60 ? text : `${text.slice(0, 59)}…`;
  return `${place === "" ? "the value" : place} is ${seen}, not ${expected}`;
}

function join(place: string, name: string): string {
  return place === "" ? name : `${place}.${name}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
