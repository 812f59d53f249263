package compress

import (
	"strings"

	"github.com/rescind-edge/rescind/internal/field"
)

// Transform returns the fields of an eligible response as they are with a
// coding; resp stays as it is.
//
// With Identity only Vary is added: whoever caches the one variant has to know
// that there are others (RFC 9110 section 12.5.5). With any other
// Content-Encoding is set, an entity tag becomes weak, because it then names
// what has the same meaning and not the same bytes (section 8.8.1), and fields
// are removed that speak of the bytes: their number, their ranges, their
// digests.
func Transform(resp field.Fields, enc Encoding) field.Fields {
	out := make(field.Fields, 0, len(resp)+2)
	for _, line := range resp {
		if enc != Identity {
			if ofBytes(line.Name) {
				continue
			}
			if field.EqualFold(line.Name, "ETag") {
				line.Value = weaken(line.Value)
			}
		}
		out = append(out, line)
	}
	if enc != Identity {
		out = out.Add("Content-Encoding", enc.String())
	}
	return vary(out)
}

// ofBytes tells whether a field speaks of the bytes of a response. An identity
// Content-Encoding, which means nothing, goes too.
func ofBytes(name string) bool {
	for _, other := range [...]string{
		"Content-Length", "Content-Encoding", "Accept-Ranges",
		"Content-MD5", "Digest", "Content-Digest", "Repr-Digest", // RFC 1864, 3230, 9530
	} {
		if field.EqualFold(name, other) {
			return true
		}
	}
	return false
}

func weaken(tag string) string {
	if tag == "" || strings.HasPrefix(tag, "W/") {
		return tag
	}
	return "W/" + tag
}

// vary adds Accept-Encoding to the Vary of out, in place, unless it is covered.
func vary(out field.Fields) field.Fields {
	const name = "Accept-Encoding"
	if out.Lists("Vary", "*") || out.Lists("Vary", name) {
		return out
	}
	for i := range out {
		if field.EqualFold(out[i].Name, "Vary") && out[i].Value != "" {
			out[i].Value += ", " + name
			return out
		}
	}
	return out.Add("Vary", name)
}
