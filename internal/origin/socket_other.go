//go:build !unix

package origin

import "net"

// socket is the socket of a connection. Here it cannot be looked at.
type socket struct{}

func newSocket(net.Conn) *socket { return nil }

func (*socket) look() socketState { return socketEnded }
