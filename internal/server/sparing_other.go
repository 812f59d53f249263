//go:build !unix

package server

// sparing reads a connection. Here it does not know when there is something to
// read, so a buffer waits with it.
type sparing struct{ c *conn }

func newSparing(c *conn) *sparing { return &sparing{c} }

// fill reads once into b, which is empty.
func (s *sparing) fill(b *buffer) error {
	_, err := b.fill(s.c.Conn, pooledSize)
	return err
}
