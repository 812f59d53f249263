package origin

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/rescind-edge/rescind/internal/http1"
)

const (
	// What stands behind a size is dropped unread. The extensions in use are
	// signatures of less than 100 bytes.
	maxLineExtension = 256
	// How much a body may consist of other things than data, beyond what chunks
	// of a common size need.
	maxOverhead = 16 << 10
	// Trailers are checksums and the like.
	maxTrailerBytes = 4 << 10
)

// chunkRules are for origins: old servers fill the line of a size up with
// spaces, and a trailer that cannot be is no reason to lose the body.
var chunkRules = http1.ChunkRules{
	Extension: maxLineExtension, Overhead: maxOverhead, Trailer: maxTrailerBytes,
	Padding: true, KeepTrailers: true,
}

var (
	errChunkSize = errors.New("malformed chunk size")
	errChunkEnd  = errors.New("a chunk is longer than its size")
	errChunkLine = errors.New("a line of the chunked body does not end in CR and LF")
	errOverhead  = errors.New("the chunked body has too much that is no data")
	errTrailers  = errors.New("the trailer section is too large")
)

// chunkError is what an origin is blamed for where its chunked body is at fault.
// line is the one of the trailer section that was being read.
func chunkError(fault http1.Fault, line []byte) error {
	switch fault {
	case http1.ChunkSize, http1.ChunkExtension:
		return errChunkSize
	case http1.ChunkEnd:
		return errChunkEnd
	case http1.BareLF, http1.BareCR:
		return errChunkLine
	case http1.ExtensionTooLarge, http1.Overhead:
		return errOverhead
	case http1.TrailerTooLarge:
		return errTrailers
	}
	name, _, _ := bytes.Cut(line, []byte(":"))
	return fmt.Errorf("%w: %.64q", errFieldLine, name)
}
