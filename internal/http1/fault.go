package http1

// Fault is what is wrong with a message: how it leaves the grammar, or has more
// than one reading, or exceeds a limit. It is an error, so that it can be
// wrapped; what a client is answered and what an origin is blamed for are up to
// whoever reads.
type Fault uint8

const (
	NoFault Fault = iota

	BareLF           // a line ends in LF without CR
	BareCR           // a CR without LF behind it
	Folding          // a field line that goes on in the next (RFC 9112 section 5.2)
	SpaceBeforeColon // a blank between name and colon (RFC 9112 section 5.1)
	FieldName        // no name, or one that is no token
	FieldValue       // a control character in a value (RFC 9110 section 5.5)

	InvalidCoding // Transfer-Encoding leaves open where the body ends (RFC 9112 section 6.3)
	UnknownCoding // Transfer-Encoding ends in chunked, and has something else before

	ChunkSize         // not 1 to 16 hexadecimal digits below 2^63, or more than that on the line
	ChunkExtension    // a control character in an extension
	ExtensionTooLarge // more than ChunkRules.Extension or Extensions
	Overhead          // more than ChunkRules.Overhead
	ChunkEnd          // the data is longer than its size says
	TrailerField      // a field that cannot be a trailer (see MayTrail)
	TrailerTooLarge   // more than ChunkRules.Trailer
)

// Error says what is wrong in a few words, NoFault included.
func (f Fault) Error() string {
	if int(f) < len(faults) {
		return faults[f]
	}
	return "unknown fault"
}

var faults = [...]string{
	NoFault:           "no fault",
	BareLF:            "line feed without carriage return",
	BareCR:            "carriage return without line feed",
	Folding:           "folded field line",
	SpaceBeforeColon:  "white space before the colon of a field line",
	FieldName:         "invalid field name",
	FieldValue:        "invalid byte in a field value",
	InvalidCoding:     "invalid Transfer-Encoding",
	UnknownCoding:     "unknown transfer coding",
	ChunkSize:         "invalid chunk size",
	ChunkExtension:    "invalid chunk extension",
	ExtensionTooLarge: "chunk extensions too large",
	Overhead:          "too much of the chunked body is no data",
	ChunkEnd:          "chunk does not end where its size says",
	TrailerField:      "field that cannot be a trailer",
	TrailerTooLarge:   "trailer section too large",
}
