package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// tunnel hands a connection over after both sides agreed to switch protocols
// (RFC 9110 section 7.8). It returns when either side is done.
func (x *exchange) tunnel() state {
	up := x.answer.Upgraded
	defer up.Close()
	conn, buffered, err := x.control.Hijack()
	if err != nil {
		return x.refuse(http.StatusBadGateway, "no-upgrade", "This connection cannot switch protocols.")
	}
	defer conn.Close()
	x.status, x.firstByte = http.StatusSwitchingProtocols, x.elapsed()
	conn.SetDeadline(noDeadline)
	if writeSwitching(conn, x.answer.Head.AppendFields(nil, false), x.answer.Protocol) != nil {
		return stateDone
	}
	idle := time.AfterFunc(tunnelIdle, func() { conn.Close(); up.Close() })
	defer idle.Stop()
	var both sync.WaitGroup
	both.Add(2)
	go func() {
		defer both.Done()
		io.Copy(up, active{upstreamBytes(conn, buffered.Reader), idle})
		up.Close() // the origin sees that the client is done, and so does the other copy
	}()
	go func() {
		defer both.Done()
		n, _ := io.Copy(conn, active{up, idle})
		x.sentBytes = n // read only after both are done
		conn.Close()
	}()
	both.Wait()
	return stateDone
}

// tunnelIdle is how long neither side may say anything: each tunnel takes a
// place at the origin, of which there are few. WebSocket peers that mean to be
// silent for longer send pings.
const tunnelIdle = 10 * time.Minute

// active is one direction of a tunnel; what arrives there puts the end off.
type active struct {
	io.Reader
	idle *time.Timer
}

func (a active) Read(p []byte) (int, error) {
	n, err := a.Reader.Read(p)
	if n > 0 {
		a.idle.Reset(tunnelIdle)
	}
	return n, err
}

// upstreamBytes reads what net/http had read ahead, then the connection.
func upstreamBytes(conn net.Conn, buffered *bufio.Reader) io.Reader {
	ahead, _ := buffered.Peek(buffered.Buffered())
	if len(ahead) == 0 {
		return conn
	}
	return io.MultiReader(io.LimitReader(buffered, int64(len(ahead))), conn)
}

func writeSwitching(w io.Writer, fields field.Fields, protocol string) error {
	head := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + protocol + "\r\n"
	for _, f := range fields {
		if !field.EqualFold(f.Name, "Upgrade") && !field.EqualFold(f.Name, "Connection") {
			head += f.Name + ": " + f.Value + "\r\n"
		}
	}
	_, err := io.WriteString(w, head+"\r\n")
	return err
}
