package wire

// MaxSchema is how long a schema may be.
const MaxSchema = 1<<16 - 1

// Schema says more about the type of the OPEN that follows it. A home may skip it.
type Schema struct {
	Channel uint32
	Text    string
}

// Length implements Frame.
func (f *Schema) Length() int { return HeaderLength + 4 + 2 + len(f.Text) }

// Append implements Frame. Text must be within MaxSchema.
func (f *Schema) Append(b []byte) []byte {
	b, start := begin(b, TypeSchema, 0)
	return finish(appendStr(appendU32(b, f.Channel), f.Text), start)
}

// ParseSchema reads the body of a SCHEMA.
func ParseSchema(h Header, body []byte) (*Schema, error) {
	if err := flags(h, 0); err != nil {
		return nil, err
	}
	c := cursor{b: body}
	f := &Schema{Channel: c.u32(), Text: c.str()}
	return f, c.end(h.Type)
}
