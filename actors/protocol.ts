// A protocol is a table of messages: for each its code, its payload fields in order, its reply and one ordering sentence.
// The tables are the only description of what crosses an actor boundary: encoders, decoders, traces and documents read them.

export interface MessageRow<Fields extends readonly string[] = readonly string[]> {
  /** Unique over all protocols; the high byte is the protocol. */
  readonly code: number;
  readonly sender: string;
  readonly receiver: string;
  /** Names of the payload words, unsigned 32-bit each, at most `maxPayloadWords`. */
  readonly fields: Fields;
  /** Name of the message that answers, if one does. */
  readonly reply?: string;
  /** What the sender may rely on. */
  readonly ordering: string;
}

export const maxPayloadWords = 8;

/** The payload fields of a row as an object. */
export type FieldsOf<Row extends MessageRow> = { readonly [Name in Row['fields'][number]]: number };

/** Encodes the fields of a message in the row's order. */
export function encode<Row extends MessageRow>(row: Row, fields: FieldsOf<Row>): number[] {
  const named: Readonly<Record<string, number>> = fields;
  const payload: number[] = [];
  for (const name of row.fields) payload.push((named[name] ?? 0) >>> 0);
  return payload;
}

/** Decodes the payload of a message of this row. */
export function decode<Row extends MessageRow>(row: Row, payload: readonly number[]): FieldsOf<Row> {
  const named: Record<string, number> = {};
  for (let i = 0; i < row.fields.length; i += 1) named[row.fields[i] as string] = payload[i] ?? 0;
  return named as FieldsOf<Row>;
}
