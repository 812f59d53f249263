package server

import (
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/http1"
)

const (
	// Extensions are dropped unread, so they are pure cost. The ones in use are
	// signatures of less than 100 bytes. net/http gives up on a line at 4 KiB
	// and on a body when all together exceed 16 KiB.
	maxLineExtension = 256
	maxBodyExtension = 16 << 10
	// Trailers are checksums and the like. net/http gives up at 4 KiB, without
	// an event.
	maxTrailerBytes = 2 << 10
)

// chunkRules are for clients: what leaves the grammar or cannot be a trailer is
// refused.
var chunkRules = http1.ChunkRules{
	Extension: maxLineExtension, Extensions: maxBodyExtension, Trailer: maxTrailerBytes,
}

// chunks follows a chunked body that is passed on as it is, to find its end and
// whatever is not as it must be.
type chunks struct{ http1.Chunks }

// advance looks at the next bytes of the body. n of them belong to it and are
// as they must be. done tells that the body ends there; a reason tells that the
// byte behind them is wrong.
func (c *chunks) advance(b []byte) (n int, done bool, reason event.RefusedReason) {
	for n < len(b) && !c.Done() {
		if data := c.Data(); data > 0 {
			taken := int(min(int64(len(b)-n), data))
			c.Took(taken)
			n += taken
			continue
		}
		passed, fault := c.Skip(b[n:], &chunkRules)
		n += passed
		if fault != http1.NoFault {
			return n, false, reasons[fault]
		}
	}
	return n, c.Done(), ""
}
